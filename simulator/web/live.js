"use strict";
// Parts of a page that change in place; everything works without it.
//   data-swap="id"  a link or form: its answer takes the place of the part with that id
//   data-poll="url" a part that waits: it asks until the answer waits no longer
//   data-on="name"  a part that is loaded again from the page's own address when an answer says so (header X-Event)
(() => {
  const SOON = 2000, LATER = 5000, PATIENT = 20000, TWICE = 500;
  const here = (url) => new URL(url, location.href).origin === location.origin;

  // Says that what stands on the page may be old, for as long as nothing answers.
  const answered = (whether) => { for (const one of document.querySelectorAll("#away")) one.hidden = whether; };

  // The answer to a request for one part: its element, or null once the page has gone elsewhere. Rejects where that part does not come.
  async function ask(url, id, options = {}) {
    const asked = { ...options, credentials: "same-origin", headers: { "X-Fragment": id, ...options.headers } };
    const answer = await fetch(url, asked).catch((error) => { answered(false); throw error; });
    const to = answer.headers.get("X-Location");
    if (to && here(to)) { location.assign(to); return null; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById(id), dated = answer.headers.get("X-Dated");
    if (dated) for (const one of document.querySelectorAll(".dated")) one.textContent = dated;
    answered(part !== null);
    if (!part) throw new Error(id);
    return { part, event: answer.headers.get("X-Event"), address: answer.headers.get("X-Address") };
  }

  const take = (part) => { part.tabIndex = -1; part.focus({ preventScroll: true }); };
  function put(id, found) {
    const old = document.getElementById(id);
    if (!found || !old) return;
    const within = old.contains(document.activeElement);
    old.replaceWith(document.adoptNode(found.part));
    if (within) take(found.part);
    if (found.address && here(found.address)) history.replaceState(null, "", found.address);
    wait(found.part);
    if (found.event) for (const one of document.querySelectorAll(`[data-on~="${CSS.escape(found.event)}"]`)) renew(one.id);
  }

  // Where nothing comes, the part stays as it was.
  const renew = (id) => ask(location.href, id).then((found) => put(id, found), () => null);

  // Brings a part up to date in place. What is in both stays, with the focus and what is unfolded, and is not read aloud again; the focus of what has gone is its box's.
  const bare = (one) => { const copy = one.cloneNode(); for (const its of ["open", "tabindex"]) copy.removeAttribute?.(its); return copy; };
  function fill(part, found) {
    const within = part.contains(document.activeElement), old = [...part.childNodes], next = [...found.childNodes];
    for (const one of old.slice(next.length)) one.remove();
    next.forEach((one, at) => {
      if (old[at] && bare(old[at]).isEqualNode(bare(one))) fill(old[at], one);
      else if (old[at]) old[at].replaceWith(one); else part.append(one);
    });
    if (within && !part.contains(document.activeElement)) take(part);
  }

  // Polls a part and what it becomes, for as long as that wants it.
  function wait(part, since = Date.now()) {
    if (!part.dataset.poll) return;
    setTimeout(async () => {
      if (!part.isConnected) return;
      if (document.hidden) { wait(part, since); return; }
      try {
        const found = await ask(part.dataset.poll, part.id);
        if (!found || !part.isConnected) return;
        if (found.part.dataset.poll) { fill(part, found.part); wait(part, since); }
        else put(part.id, found);
      } catch {
        wait(part, since);
      }
    }, Date.now() - since < PATIENT ? SOON : LATER);
  }

  async function swap(element, url, options) {
    const id = element.dataset.swap, old = document.getElementById(id);
    if (!old || !here(url)) return;
    old.setAttribute("aria-busy", "true");
    try {
      const found = await ask(url, id, options);
      if (!found) return;
      put(id, found);
      if (!options.method) history.pushState(null, "", url);
    } catch {
      // As without script, but that a form is not sent again by itself.
      if (!options.method) location.assign(url);
      else old.removeAttribute("aria-busy");
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const by = link && link.closest("[data-swap]");
    if (!by || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.hasAttribute("download")) return;
    if (!here(link.href) || !document.getElementById(by.dataset.swap)) return;
    event.preventDefault();
    swap(by, link.href, {});
  });

  document.addEventListener("submit", (event) => {
    const form = event.target, post = form.method === "post";
    // Pressed twice, as a double click does, it is sent once.
    if (post && event.timeStamp - form.dataset.sent < TWICE) { event.preventDefault(); return; }
    form.dataset.sent = event.timeStamp;
    if (!form.dataset.swap || !document.getElementById(form.dataset.swap)) return;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    if (post) swap(form, form.action, { method: "POST", body: fields });
    else swap(form, `${form.action.split("?")[0]}?${fields}`, {});
  });

  // A part that is told anew whenever it has changed, for as long as the page is there.
  for (const part of document.querySelectorAll("[data-stream]")) {
    const told = here(part.dataset.stream) && new EventSource(part.dataset.stream);
    if (told) told.onmessage = (event) => {
      const page = new DOMParser().parseFromString(event.data, "text/html"), found = page.getElementById(part.id);
      if (found) fill(part, found);
    };
    if (told) [told.onopen, told.onerror] = [true, false].map((whether) => () => answered(whether));
  }

  addEventListener("popstate", () => location.reload());
  for (const part of document.querySelectorAll("[data-poll]")) wait(part);
})();
