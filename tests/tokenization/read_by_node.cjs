// The ids that @huggingface/tokenizers gives to texts, and the text it makes of them.
//
//     node read_by_node.cjs MODULES FOLDER < TEXTS.json > ANSWERS.json

const fs = require("fs");
const path = require("path");

const [modules, folder] = process.argv.slice(2);
const { Tokenizer } = require(path.join(modules, "@huggingface/tokenizers"));
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
const tokenizer = new Tokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
// It has no way to take control tokens for text, and no ids to decode is an error to it.
const answers = JSON.parse(fs.readFileSync(0, "utf8")).map((text) => {
  const { ids } = tokenizer.encode(text, { add_special_tokens: false });
  const decoded = ids.length ? tokenizer.decode(ids, { skip_special_tokens: false }) : "";
  return { ids, decoded };
});
process.stdout.write(JSON.stringify(answers));
