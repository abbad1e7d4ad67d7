// A sound when something urgent begins to fire, in the browsers that want one: off until somebody switches it on here.
(function (fw) {
  "use strict";
  const WANTED = "sound", HEARD = "sound-heard";
  const TONES = [[880, 0], [660, 0.18], [880, 0.36]]; // Hz, and seconds after the first
  const TONE_SECONDS = 0.15, LOUDNESS = 0.2, BLOCKED_MS = 400;
  let context = null, isBlocked = false;

  const isOn = () => fw.recall(WANTED) === "on";

  // A browser plays nothing on a page that nobody has touched since it was opened: then it waits, and the page says so.
  async function play() {
    context = context || new window.AudioContext();
    if (context.state !== "running") {
      await Promise.race([context.resume(), new Promise((done) => setTimeout(done, BLOCKED_MS))]);
    }
    isBlocked = context.state !== "running";
    show();
    if (isBlocked) return false;
    for (const [pitch, after] of TONES) tone(pitch, context.currentTime + after);
    return true;
  }

  function tone(pitch, at) {
    const voice = context.createOscillator(), volume = context.createGain();
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.01);
    volume.gain.linearRampToValueAtTime(0, at + TONE_SECONDS);
    voice.connect(volume).connect(context.destination);
    voice.start(at);
    voice.stop(at + TONE_SECONDS);
  }

  // `since`: of the urgent alert that began last. It is heard once, in whichever of this browser's pages sees it first.
  async function told(since) {
    if (!isOn() || !since || since <= Number(fw.recall(HEARD) || 0)) return;
    const before = fw.recall(HEARD);
    fw.remember(HEARD, since);
    if (!(await play())) fw.remember(HEARD, before || 0);
  }

  function show() {
    const button = fw.byId("alerts-sound");
    if (!button) return;
    const said = !isOn() ? "off" : isBlocked ? "on; the browser waits for a click" : "on";
    const text = `Sound for urgent: ${said}`;
    if (button.textContent !== text) button.textContent = text;
    button.setAttribute("aria-pressed", String(isOn()));
  }

  fw.on("click", "#alerts-sound-try", play);
  fw.on("click", "#alerts-sound", () => {
    fw.remember(WANTED, isOn() ? "off" : "on");
    fw.remember(HEARD, fw.now()); // what fires already was seen when it was switched on
    isBlocked = false;
    show();
  });
  fw.sound = { isOn, told, show };
})(window.fundwatch);
