"""Questions of the lectures, answered by running them: by formula and by real layers, which agree.

    python examples/lecture_quiz.py                 all questions
    python examples/quiz_arithmetic.py              sizes, weights, connections, fields
    python examples/quiz_pictures.py                filters on pictures, equivariance
    python examples/quiz_gradients.py               where gradients come from

A question is a function that returns a dict: question, answer (lines), why, and perhaps pictures,
(title, 2-D array) pairs, which go to the folder --out, "quiz", if matplotlib is there.
"""

import argparse
from pathlib import Path
from textwrap import fill

import quiz_arithmetic
import quiz_gradients
import quiz_pictures


def ask(number, asked):
    """Print one question with its answer."""
    print(f"{number}. {asked['question']}")
    for line in asked["answer"]:
        print(f"      {line}")
    print(fill(asked["why"] + ".", 96, initial_indent="   -> ", subsequent_indent="      ") + "\n")


def draw(pictures, path):
    """Pictures side by side in one file."""
    try:
        import matplotlib
    except ImportError:
        print('   No picture: it needs matplotlib (pip install "tinycnn[viz]").\n')
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(pictures), figsize=(2 * len(pictures), 2.3),
                                   squeeze=False)
    for axis, (title, picture) in zip(axes[0], pictures):
        axis.imshow(picture, cmap="gray")
        axis.set_title(title, fontsize=8)
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(f"   picture: {path}\n")


def run(questions, description):
    """Ask all of them."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("quiz"), help="folder for pictures")
    args = parser.parse_args()
    for number, question in enumerate(questions, 1):
        asked = question()
        ask(number, asked)
        if asked.get("pictures"):
            draw(asked["pictures"], args.out / f"{question.__name__}.png")


if __name__ == "__main__":
    run(quiz_arithmetic.QUESTIONS + quiz_pictures.QUESTIONS + quiz_gradients.QUESTIONS, __doc__)
