import { appendFileSync } from "node:fs";

/** A vitest reporter: one line of JSON per finished test, at once, so that a run which is cut short has told what it knew. */
export default class PeerReporter {
  onTestCaseResult(test) {
    const { state, errors } = test.result();
    const groups = [];
    for (let parent = test.parent; parent?.type === "suite"; parent = parent.parent) groups.unshift(parent.name);
    this.write({
      file: test.module.moduleId,
      title: [...groups, test.name].join(" "),
      state,
      error: errors?.[0]?.message,
    });
  }

  /** A file whose tests could not run: its hooks or imports failed. */
  onTestModuleEnd(module) {
    const error = module.errors()[0]?.message;
    if (error !== undefined) this.write({ file: module.moduleId, title: "", state: "failed", error });
  }

  onTestSuiteResult(suite) {
    const error = suite.errors()[0]?.message;
    if (error !== undefined) this.write({ file: suite.module.moduleId, title: suite.fullName, state: "failed", error });
  }

  write(line) {
    appendFileSync(process.env.MINILAKE_PEER_REPORT, `${JSON.stringify(line)}\n`);
  }
}
