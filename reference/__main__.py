"""``python -m reference``: the reference's programs."""

from reference.native.command import main

if __name__ == "__main__":
    main(prog_name="relayproof")
