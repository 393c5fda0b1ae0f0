// What to know of a prompt that asks for the value of an expression, as remarks.py says it: whether it has one, and
// whether training held such.

const LONGEST_LINE = 200;
const QUESTION = /^[\d\s+*/()-]*\d[\d\s+*/()-]*=$/;
const GROUP = /\(-?n(?:[-+*/]-?n)*\)/g;
const EXPRESSION = /^-?n(?:[-+*/]-?n)*$/;
const FULL_WIDTH = new Map([..."＋－＊／（）＝"].map((character, index) => [character, "+-*/()="[index]]));

// `trained` are the equations of each source of training text, as TrainedEquations has them.
export function remarks(prompt, trained) {
  const line = prompt.slice(prompt.lastIndexOf("\n") + 1).trim();
  const known = [...line].map(knownDigit).join("");
  if (!trained?.length || [...line].length > LONGEST_LINE || !isQuestion(known)) return [];
  if (known !== line) return [`The model knows the digits 0 to 9; those of ${line} are letters to it. Write ${known}`];
  const expression = known.slice(0, -1).trim();
  const numbers = [], operators = [];
  let answer;
  try {
    answer = evaluated(expression, numbers, operators);
  } catch (error) {
    if (error instanceof RangeError) return [`${expression} divides by zero: it has no value, whatever the model writes.`];
    if (error instanceof Remainder) return [`${expression} leaves a remainder: the model has learned whole numbers alone.`];
    return []; // a minus before a parenthesis
  }
  const depth = depthOf(expression);
  if (trained.some((equations) => holds(equations, numbers, operators, depth, answer))) return [];
  return [`${expression} lies outside of what the model was trained on (${described(trained)}): a guess.`];
}

// A digit of any script as one of 0 to 9: the digits of a script follow each other, so zero is the first of ten.
function knownDigit(character) {
  if (FULL_WIDTH.has(character)) return FULL_WIDTH.get(character);
  if (!/\p{Nd}/u.test(character)) return character;
  const code = character.codePointAt(0);
  let first = code;
  while (code - first < 9 && /\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  // Scripts lie side by side where more than ten digits follow each other (the mathematical ones, from U+1D7CE on).
  return String(code >= 0x1d7ce && code <= 0x1d7ff ? (code - 0x1d7ce) % 10 : code - first);
}

function isQuestion(line) {
  if (!QUESTION.test(line) || /\d\s+\d/.test(line)) return false;
  let shape = line.slice(0, -1).replace(/\s/g, "").replace(/\d+/g, "n"), before;
  if (shape.split("n").length < 3) return false;
  do {
    before = shape;
    shape = shape.replace(GROUP, "n");
  } while (shape !== before);
  return EXPRESSION.test(shape);
}

class Remainder extends Error {}

// The exact value; the numbers and operators in their order. Throws RangeError by zero, Remainder, or SyntaxError.
function evaluated(expression, numbers, operators) {
  const tokens = expression.match(/\d+|[-+*/()]/g).reverse();
  const next = () => tokens.at(-1);
  const chain = (known, operand) => {
    let value = operand();
    while (tokens.length && known.includes(next())) {
      const operator = tokens.pop();
      operators.push(operator);
      value = applied(operator, value, operand());
    }
    return value;
  };
  const sum = () => chain("+-", product);
  const product = () => chain("*/", operand);
  function operand() {
    const token = tokens.pop();
    if (token === "(") {
      const value = sum();
      tokens.pop();
      return value;
    }
    const number = token === "-" ? -BigInt(tokens.pop()) : BigInt(token);
    numbers.push(number);
    return number;
  }
  return sum();
}

function applied(operator, left, right) {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "*") return left * right;
  if (left % right) throw new Remainder(); // RangeError by zero
  return left / right;
}

function depthOf(expression) {
  let depth = 0, deepest = 0;
  for (const character of expression) {
    depth += (character === "(") - (character === ")");
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function holds(equations, numbers, operators, depth, answer) {
  const largest = Math.min(...operators.map((operator) => equations.largest[operator] ?? -1));
  return (
    equations.operators.includes(operators.length) &&
    numbers.every((number) => (number < 0n ? -number : number) <= largest) &&
    depth <= equations.depth &&
    (equations.largest_answer === null || answer <= equations.largest_answer) &&
    (equations.negative_operands || numbers.every((number) => number >= 0n)) &&
    (equations.negative_answers || answer >= 0n)
  );
}

// "1 operator with numbers to 999,999; 2 operators with numbers to 150"
function described(trained) {
  const largest = new Map();
  for (const equations of trained) {
    const most = Math.max(...Object.values(equations.largest));
    for (const count of equations.operators) largest.set(count, Math.max(largest.get(count) ?? 0, most));
  }
  return [...largest]
    .sort(([a], [b]) => a - b)
    .map(([count, most]) => `${count} operator${count > 1 ? "s" : ""} with numbers to ${most.toLocaleString("en-US")}`)
    .join("; ");
}
