// Dragging a school onto another partnership opens the same page as choosing it from the list:
// what the move does is shown there, and nothing changes before it is confirmed.
(() => {
  "use strict";
  const board = document.querySelector(".board[data-move]");
  if (!board || !board.dataset.move || !window.matchMedia("(hover: hover) and (pointer: fine)").matches) {
    return;
  }
  for (const hidden of document.querySelectorAll(".drag-hint, .empty-group")) {
    hidden.hidden = false;
  }
  let dragged = null;
  for (const item of board.querySelectorAll("[data-school]")) {
    item.draggable = true;
    for (const link of item.querySelectorAll("a")) {
      link.draggable = false;
    }
    item.addEventListener("dragstart", (event) => {
      dragged = item;
      board.classList.add("dragging");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", item.dataset.school);
    });
    item.addEventListener("dragend", () => {
      dragged = null;
      board.classList.remove("dragging");
      for (const group of board.querySelectorAll(".over")) {
        group.classList.remove("over");
      }
    });
  }
  for (const group of board.querySelectorAll("[data-to]")) {
    const takes = () => dragged !== null && !group.contains(dragged);
    group.addEventListener("dragover", (event) => {
      if (takes()) {
        event.preventDefault();
        group.classList.add("over");
      }
    });
    group.addEventListener("dragleave", (event) => {
      if (!group.contains(event.relatedTarget)) {
        group.classList.remove("over");
      }
    });
    group.addEventListener("drop", (event) => {
      if (!takes()) {
        return;
      }
      event.preventDefault();
      const where = new URLSearchParams({ school: dragged.dataset.school, to: group.dataset.to });
      window.location.assign(`${board.dataset.move}?${where}`);
    });
  }
})();
