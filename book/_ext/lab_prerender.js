"use strict";
/* Draw a laboratory as it stands before anybody uses it: for readers without scripts, for paper, and until the model is
   there. Reads its options as JSON from the standard input and writes HTML; the argument is the models' folder. */
const path = require("path");

for (const name of ["tokenizer", "model", "study", "view"]) require(path.join(__dirname, "..", "_static", "lab", name));
const lab = globalThis.linstudyLab;

const options = JSON.parse(require("fs").readFileSync(0, "utf8"));
require(path.resolve(process.argv[2], options.model));
const model = lab.unpack(lab.packed[options.model]);
const texts = [0, ...lab.encode(model.tokenizer, options.text)];
const plan = lab.makePlan(model, lab.PRESETS[options.preset].changes(model));

function read(plan) {
  const run = lab.newRun(model);
  for (const _ of lab.readText(model, plan, run, texts));
  return { run, told: [...lab.tellStory(model, plan, run, lab.TOLD)] };
}

const whole = read(lab.makePlan(model));
const yours = lab.isWhole(plan) ? null : read(plan);
const seen = {
  model,
  plan,
  text: options.text,
  texts: lab.decode(model.tokenizer, texts),
  whole: whole.run,
  yours: yours && yours.run,
  selected: texts.length - 1,
  still: true, // nothing can be chosen without a script; lab.js takes that back
  story: { whole: whole.told, yours: yours ? yours.told : [] },
};
process.stdout.write(lab.frame(options, seen));
