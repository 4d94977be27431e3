"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const dialog = document.getElementById("origin");
  const head = dialog.querySelector("h2"), body = dialog.querySelector(".body");
  const back = dialog.querySelector(".back"), close = dialog.querySelector(".close");
  let lang = words.order[0], names = null, trail = [], opener = null;

  // parsed when the first origin is asked for
  const all = () => names ??= JSON.parse(document.getElementById("origins").textContent);
  const w = (key) => words.words[lang][key];
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const labelOf = (name) => {
    const entry = all()[name];
    return entry && entry[0] ? entry[0][words.labels.indexOf(lang)] : "";
  };
  const linkTo = (name) => {
    const item = make("a", labelOf(name) || name, { href: "#o=" + name });
    return item;
  };
  const valueOf = (entry) => entry[1][words.labels.indexOf(lang)];

  function fill(name) {
    const entry = all()[name];
    body.replaceChildren();
    head.textContent = labelOf(name) || name;
    if (!entry) { body.append(make("p", w("unknown"))); return; }
    const list = make("dl");
    const row = (term, ...content) => { list.append(make("dt", term)); const dd = make("dd"); dd.append(...content); list.append(dd); };
    row(w("value"), make("strong", valueOf(entry)));
    row(w("kind"), w(entry[2]));
    row(w("name"), make("code", name));
    if (entry[5].length) {
      const formula = make("span");
      const known = new Set(entry[5]);
      for (const part of entry[3].split(/([A-Za-z_][\w./]*)/)) formula.append(known.has(part) ? linkTo(part) : part);
      row(w("formula"), formula);
    } else row(w("source"), entry[3]);
    if (entry[4]) row(w("note"), entry[4]);
    body.append(list);
    if (entry[5].length) {
      body.append(make("p", w("inputs")));
      const inputs = make("ul");
      for (const one of entry[5]) {
        const item = make("li");
        item.append(linkTo(one), " " + (all()[one] ? valueOf(all()[one]) : ""));
        inputs.append(item);
      }
      body.append(inputs);
    }
  }

  function show(name) {
    fill(name);
    back.hidden = trail.length < 2;
    back.setAttribute("aria-label", w("back"));
    close.setAttribute("aria-label", w("close"));
    if (!dialog.open) dialog.showModal();
    body.scrollTop = 0;
    head.focus();
  }

  function route() {
    const asked = decodeURIComponent(location.hash);
    if (asked.startsWith("#o=")) {
      const name = asked.slice(3);
      if (trail.at(-2) === name) trail.pop(); else if (trail.at(-1) !== name) trail.push(name);
      show(name);
      return;
    }
    trail = [];
    if (dialog.open) dialog.close();
    const part = asked.slice(1).split("-")[0];
    if (words.order.includes(part) && part !== lang) speak(part);
  }

  function leave() {
    trail = [];
    history.replaceState(null, "", location.pathname + location.search);
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
  }

  function speak(code) {
    lang = code;
    document.documentElement.lang = code;
    document.title = words.title[code];
    for (const one of document.querySelectorAll("[data-lang]")) one.hidden = one.dataset.lang !== code;
    for (const one of document.querySelectorAll("[data-to]")) one.setAttribute("aria-pressed", String(one.dataset.to === code));
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest('a[href^="#o="]');
    if (link && !dialog.contains(link)) opener = link;
    const mark = target?.closest("[data-o]");
    if (mark) { opener = null; location.hash = "o=" + mark.dataset.o; }
    const to = target?.closest("[data-to]");
    if (to) {
      const here = nearest();
      speak(to.dataset.to);
      if (here) document.getElementById(here.replace(/^[a-z]+-/, lang + "-"))?.scrollIntoView({ behavior: "instant" });
    }
  });
  // the section at the top of the window, so that the other language opens at the same place
  function nearest() {
    if (scrollY < 200) return "";
    const visible = [...document.querySelectorAll(`main[data-lang=${lang}] section[id]`)];
    return visible.findLast((one) => one.getBoundingClientRect().top < innerHeight / 2)?.id ?? "";
  }
  back.addEventListener("click", () => history.back());
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", leave);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  addEventListener("hashchange", route);

  const MOST = 60;
  for (const part of document.querySelectorAll(".index")) {
    const input = part.querySelector("input"), list = part.querySelector(".found"), count = part.querySelector(".count");
    const look = () => {
      const asked = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const fits = Object.entries(all()).filter(([name, e]) => {
        const text = (name + " " + (e[0] ? e[0].join(" ") : "") + " " + (asked.length ? e[3] + " " + e[4] : "")).toLowerCase();
        return asked.every((word) => text.includes(word));
      });
      count.textContent = w("found").replace("{count}", fits.length);
      list.replaceChildren(...fits.slice(0, asked.length ? MOST : 0).map(([name, e]) => {
        const item = make("li");
        item.append(linkTo(name), " " + valueOf(e) + " ", make("code", name));
        return item;
      }));
    };
    input.addEventListener("input", look);
    input.addEventListener("focus", look);
  }

  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
  // a list of all sections would push the story down on a phone
  if (innerWidth <= 760) for (const one of document.querySelectorAll(".contents")) one.open = false;
  speak(lang);
  route();
})();
