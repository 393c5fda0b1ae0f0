// Place and role of every token, from token ids alone. The definition is that of digit_features.py.

// Classes of tokens.
const [LINE_START, DIGIT, MINUS, SLASH, OPERATOR, OPEN, CLOSE, EQUALS, SPACE, OTHER] = Array(10).keys();
// Roles; 1 to 5 are operands.
const NONE = 0, OPERAND_LATER = 5, OPERATOR_ROLE = 6, SIGN = 7;
const OPEN_ROLE = 8, CLOSE_ROLE = 9, EQUALS_ROLE = 10, RESULT = 11;
const LAST_PLACE = 65;

// The class of every token of the vocabulary.
export function tokenClasses(ids, vocabSize) {
  const classes = new Uint8Array(vocabSize).fill(OTHER);
  if (!ids) return classes;
  const set = (tokenIds, kind) => tokenIds.forEach((id) => (classes[id] = kind));
  set(ids.digits, DIGIT);
  set(ids.closing ?? [], DIGIT);
  set(ids.operators, OPERATOR);
  set([ids.operators[1]], MINUS);
  set([ids.operators[3]], SLASH);
  set([ids.open_parenthesis], OPEN);
  set([ids.close_parenthesis], CLOSE);
  set([ids.equals], EQUALS);
  set(ids.spaces, SPACE);
  set(ids.line_starts, LINE_START);
  return classes;
}

// Places and roles of all tokens of a text, given their classes.
export function placesAndRoles(classes) {
  const places = new Uint8Array(classes.length), roles = new Uint8Array(classes.length);
  let line = newLine();
  let run = 0; // digits in a row
  let before = LINE_START; // the class of the newest token that is no blank
  let previous = -1; // the class of the token before
  let wasSign = false, wasBetweenBlanks = false;
  for (let i = 0; i < classes.length; i++) {
    const kind = classes[i];
    run = kind === DIGIT ? run + 1 : 0;
    places[i] = Math.min(run, LAST_PLACE);

    const expectsOperand = before < DIGIT || (before >= MINUS && before <= OPEN) || before === EQUALS;
    const isSign = kind === MINUS && expectsOperand;
    const isOperator = (kind === MINUS || kind === SLASH || kind === OPERATOR) && !isSign;
    const isBetweenBlanks = isOperator && kind !== OPERATOR;
    if (kind === LINE_START) line = newLine();
    line.operators += isOperator ? 1 : 0;
    line.equals += kind === EQUALS ? 1 : 0;
    line.depth += kind === OPEN ? 1 : kind === CLOSE ? -1 : 0;
    // A line start belongs to no line, so that nothing breaks at it.
    line.broken ||= kind !== LINE_START && (
      kind === OTHER ||
      (kind === DIGIT && !expectsOperand && previous !== DIGIT) ||
      (kind === OPEN && !expectsOperand) ||
      ((isOperator || kind === CLOSE || kind === EQUALS) && expectsOperand) ||
      (kind === CLOSE && line.depth < 0) ||
      (isBetweenBlanks && previous !== SPACE) ||
      (kind !== SPACE && wasBetweenBlanks) ||
      ((kind === SPACE || isSign) && wasSign) ||
      (kind === EQUALS && (line.equals > 1 || line.depth !== 0)) ||
      (line.equals > 0 && (kind === OPEN || isOperator))
    );
    roles[i] = line.broken ? NONE : roleOf(kind, line, isSign, isOperator);

    if (kind !== SPACE) before = kind;
    previous = kind;
    wasSign = isSign;
    wasBetweenBlanks = isBetweenBlanks;
  }
  return { places, roles };
}

function newLine() {
  return { operators: 0, equals: 0, depth: 0, broken: false };
}

function roleOf(kind, line, isSign, isOperator) {
  if (isSign) return SIGN;
  if (isOperator) return OPERATOR_ROLE;
  if (kind === OPEN) return OPEN_ROLE;
  if (kind === CLOSE) return CLOSE_ROLE;
  if (kind === EQUALS) return EQUALS_ROLE;
  if (kind !== DIGIT) return NONE;
  return line.equals ? RESULT : Math.min(1 + line.operators, OPERAND_LATER);
}
