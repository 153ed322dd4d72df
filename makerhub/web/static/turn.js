// Offers to turn a design in 3D. What draws it, and the design itself, are fetched only when somebody wants that.

for (const place of document.querySelectorAll("[data-turntable]")) offer(place);

function offer(place) {
  const [turn, rest] = [place.querySelector("[data-turn]"), place.querySelector("[data-rest]")];
  const [picture, canvas] = [place.querySelector(".picture"), place.querySelector("canvas")];
  const [hint, status] = [place.querySelector(".hint"), place.querySelector("[role=status]")];
  let turntable = null;

  function show(isTurning) {
    picture.classList.toggle("covered", isTurning);
    canvas.hidden = hint.hidden = rest.hidden = !isTurning;
    turn.hidden = isTurning;
  }

  function giveUp() {
    show(false);
    turn.hidden = true;
    status.textContent = status.dataset.trouble;
  }

  async function start() {
    const { open } = await import(place.dataset.turntable);
    turntable ??= await open(canvas, place.dataset.model, giveUp);
    show(true);
    turntable.begin();
    canvas.focus({ preventScroll: true });
  }

  turn.addEventListener("click", () => {
    turn.disabled = true;
    start().catch(giveUp).finally(() => { turn.disabled = false; });
  });
  for (const [element, event] of [[rest, "click"], [canvas, "rest"]]) {
    element.addEventListener(event, () => { show(false); turn.focus(); });
  }
  turn.hidden = false;
}
