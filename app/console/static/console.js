// The page works without this. With it, figures stay current, and a discard form that a link names gets the focus.
const box = document.querySelector("[data-refresh]");
if (box) {
  const refresh = async () => {
    if (document.hidden || box.contains(document.activeElement)) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-refresh]");
    if (fresh) box.replaceChildren(...fresh.childNodes);
  };
  setInterval(refresh, Number(box.dataset.refresh) * 1000);
}
if (location.hash === "#discard") document.getElementById("reason")?.focus();
