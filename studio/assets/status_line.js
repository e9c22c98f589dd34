/* The line under the stage: what the run does, its one counter of steps, and how long it still takes. A screen reader hears of
   another state or stage, and of nothing that only counts. */
(() => {
  "use strict";
  const STATE_WORDS = { empty: "Ready", opening: "Opening", queued: "In line", running: "Running", paused: "Paused", done: "Done", stopped: "Stopped", interrupted: "Interrupted", failed: "Failed" };
  const STAGE_WORDS = { draft: "Sampling the draft", fit: "Fitting the shape", refine: "Refining", sharpen: "Sharpening", finish: "Writing the files" };
  const OVER = ["done", "stopped", "failed"], TICK_MS = 500, SILENCE_MS = 25000;  // the server says something every 10 s

  const clock = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    return whole < 3600 ? `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}` : `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  };

  class StatusLine {
    constructor(root) {
      this.root = root;
      this.status = null;
      this.told = "";
      setInterval(() => this.tick(), TICK_MS);
    }

    write(field, text) {
      const place = this.root.querySelector(`[data-field="${field}"]`);
      if (place.textContent !== text) place.textContent = text;
    }

    show(status) {
      Object.assign(this, { status, heard: performance.now() });
      const going = status.state === "running" || status.state === "paused", over = OVER.includes(status.state);
      const place = status.state === "queued" ? `, number ${Math.max(1, status.queue_position)}` : "";
      const state = status.state === "running" ? STAGE_WORDS[status.stage] || STATE_WORDS.running : STATE_WORDS[status.state] + place;
      this.root.querySelector(".mq-state").textContent = state;
      this.write("step", !status.total_step ? "" : over ? `${status.total_step} steps` : `step ${status.total_step}/${status.total_steps}`);
      this.write("speed", going && status.steps_per_second && status.stage !== "finish" ? `${status.steps_per_second.toFixed(1)} it/s` : "");
      this.write("revision", status.revision === 0 ? "" : status.revision_applied < status.revision ? `revision ${status.revision} on its way`
        : `revision ${status.revision_applied} applied at step ${status.applied_at_step}`);
      this.write("first", status.seconds_to_first_picture && !going && status.state !== "queued" ? `first picture after ${status.seconds_to_first_picture.toFixed(1)} s` : "");
      const last = status.warnings[status.warnings.length - 1];
      this.write("warning", last ? last.join(" ") : "");
      this.say(status.error ? `${state}. ${status.error.join(" ")}` : state);
      this.tick();
    }

    /* Between two messages it counts on by itself, but not for a server that is silent. */
    tick() {
      const { status } = this;
      if (!status) return;
      const gone = (performance.now() - this.heard) / 1000, counts = status.state === "running" && status.eta_seconds;
      const left = counts && gone * 1000 < SILENCE_MS ? `about ${clock(Math.max(1, status.eta_seconds - gone))} left` : "";
      this.write("eta", left || (status.seconds && status.state !== "running" ? `took ${clock(status.seconds)}` : ""));
    }

    /* The connection is gone: nobody knows what the run does. */
    lose() {
      this.status = null;
      this.root.querySelector(".mq-state").textContent = "Connection lost, trying again";
      for (const field of ["speed", "eta", "revision"]) this.write(field, "");
      this.say("Connection lost, trying again");
    }

    say(words) {
      if (words === this.told) return;
      this.told = words;
      this.root.querySelector(".mq-said").textContent = words;
    }
  }

  Object.assign(maquette, { StatusLine, STAGE_WORDS });
})();
