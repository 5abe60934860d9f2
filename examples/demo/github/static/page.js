// What happens meanwhile is shown without a reload, so that nobody loses what they are typing.
"use strict";

const PAUSE = 1500;

async function refresh() {
  const live = document.getElementById("live");
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (answer.ok && fresh && fresh.innerHTML !== refresh.last) {
      refresh.last = fresh.innerHTML;
      const open = [...live.querySelectorAll("details")].map((each) => each.open);
      live.replaceChildren(...fresh.childNodes);
      live.querySelectorAll("details").forEach((each, number) => { each.open = open[number] || each.open; });
    }
  } catch (error) {
    // The demo has ended; what was last seen stays.
  }
  setTimeout(refresh, PAUSE);
}

refresh.last = document.getElementById("live").innerHTML;
setTimeout(refresh, PAUSE);
