import type { OnProgress } from "../lake/progress.ts";
import { formatCount, plural } from "../ui/format.ts";
import type { Steps } from "../ui/steps.ts";

/** Shows what `up`, `plan` and `down` tell. `doing` is like "Bringing the lake up". */
export function showProgress(steps: Steps, doing: string): OnProgress {
  let resources = 0;
  return (event) => {
    switch (event.step) {
      case "resource":
        resources++;
        return steps.update(`${doing}: ${plural(resources, "resource")}, now ${event.kind} ${event.name}`);
      case "waiting":
        return steps.update(`Waiting for ${event.resource}: ${event.reason}`);
      case "emptying":
        return steps.update(`Emptying ${event.resource}: ${formatCount(event.removed)} removed`);
      case "backend":
        return steps.update(`${event.message.charAt(0).toUpperCase()}${event.message.slice(1)} (${event.resource})`);
    }
  };
}
