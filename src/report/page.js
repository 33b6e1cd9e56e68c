"use strict";
// The page works without this. It adds: a filter, folding of everything at once, copying of commands, and opens
// what a link or the printer needs.
(function () {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const section = document.getElementById("findings");
  const make = (tag, text, parent) => {
    const element = document.createElement(tag);
    element.textContent = text;
    parent.appendChild(element);
    return element;
  };

  function filter(words) {
    let shown = 0;
    for (const problem of all("#findings .problem")) {
      const hit = words.every((word) => problem.textContent.toLowerCase().includes(word));
      problem.hidden = !hit;
      shown += hit ? 1 : 0;
    }
    for (const rule of all("#findings .rule")) {
      rule.hidden = rule.querySelector(".problem:not([hidden])") === null;
    }
    return shown;
  }

  function addTools() {
    const problems = all("#findings .problem");
    if (problems.length < 2) {
      return;
    }
    const bar = make("div", "", section);
    section.insertBefore(bar, section.children[1]);
    bar.className = "tools";
    const label = make("label", "Show only ", bar);
    const input = make("input", "", label);
    input.type = "search";
    input.placeholder = "endpoint, user, session, client";
    const open = make("button", "Unfold all", bar);
    const close = make("button", "Fold all", bar);
    const told = make("span", "", bar);
    told.setAttribute("role", "status");
    let timer = 0;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const words = input.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
        const shown = filter(words);
        told.textContent = words.length > 0 ? shown + " of " + problems.length : "";
      }, 150);
    });
    open.addEventListener("click", () => problems.forEach((problem) => { problem.open = true; }));
    close.addEventListener("click", () => problems.forEach((problem) => { problem.open = false; }));
  }

  function addCopying() {
    if (!navigator.clipboard) {
      return;
    }
    for (const code of all(".cmd code")) {
      const button = make("button", "Copy", code.parentElement);
      button.addEventListener("click", () => {
        navigator.clipboard.writeText(code.textContent).then(() => {
          button.textContent = "Copied";
          setTimeout(() => { button.textContent = "Copy"; }, 1500);
        }, () => { button.textContent = "Copy by hand"; });
      });
    }
  }

  function unfoldTarget() {
    const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
    for (let at = target; at !== null; at = at.parentElement) {
      if (at.tagName === "DETAILS") {
        at.open = true;
      }
    }
    if (target !== null) {
      target.scrollIntoView();
    }
  }

  addTools();
  addCopying();
  addEventListener("hashchange", unfoldTarget);
  unfoldTarget();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:is(.problem, .about, .rows):not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
})();
