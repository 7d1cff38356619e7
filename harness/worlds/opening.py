"""Before the story: credentials are issued, roles start in order and are probed, devices join, doors that need a question get one.

Deliberately absent: the story itself (``director``); a verb that starts or joins somebody in the story uses the same moves.
"""

from typing import Any

from harness.history.plan import Actor, Plan, Step, every_step
from harness.sut.contract import PROBE_VERB
from harness.worlds.pace import SETUP_DEADLINE_S, Pace, StoryStopped
from harness.worlds.stage import Directions

ENROLMENT_LIVES_S = 90 * 86_400.0
"""Life of an enrolment unless the scenario gives another (docs/spec/protocol.md, credentials)."""

_START_ORDER = {"relay": 0, "host": 1, "device": 2}


class Opening:
    """Sets one plan up."""

    def __init__(self, plan: Plan, pace: Pace) -> None:
        self._plan, self._stage, self._pace = plan, pace.stage, pace

    def set_up(self) -> Directions[None]:
        """Everything before the first line of the story."""
        for actor in sorted(self._plan.cast, key=lambda actor: _START_ORDER[actor.role]):
            if actor.role != "relay":
                yield from self._issue(actor)
            if not self._starts_later(actor):
                yield from self.start(actor)
        yield from self._prepare_doors()
        self._stage.record("harness", "story", "set_up")
        yield from self._pace.beat()

    def _issue(self, actor: Actor) -> Directions[None]:
        given = self._plan.given.get(actor.name, {})
        token, account = given.get("token", {}), given.get("account", {})
        args = {
            "subject": actor.name,
            "role": actor.role,
            "account": self._account_of(actor),
            "scopes": token.get("scopes"),
            "lives_s": given.get("enrolment", {}).get("lives", ENROLMENT_LIVES_S),
            "access_lives_s": token.get("lives"),
            "plan": account.get("plan", "max"),
            "sign_in": account.get("sign_in", "login"),
        }
        result = yield from self._pace.must(f"setup.{actor.name}.issue", "relay", "issue", args)
        if not isinstance(result.get("credential"), str):
            raise StoryStopped(f"setup.{actor.name}.issue", "the relay issued no credential", "setup")
        self._stage.keep_credential(actor.name, result["credential"])

    def start(self, actor: Actor, **extra: Any) -> Directions[None]:
        """Greet, probe and start one role; a device joins unless the story has it do so."""
        step = f"setup.{actor.name}.start"
        hello = yield from self._pace.must(step, actor.name, "hello", {})
        self._stage.record(actor.name, "story", "hello", **hello)
        yield from self._probe(step, actor.name)
        began_at = self._stage.now
        args = self._stage.start_args(actor.name) | extra
        call = yield from self._pace.call(actor.name, "start", args, is_needed=True)
        refused_as_meant = call.error and self._plan.given.get(actor.name, {}).get("account")
        if call.outcome != "ok" and not refused_as_meant:
            raise StoryStopped(step, f"{actor.name} did not start: {call.why}", "no-start", ran_out=not call.done)
        if actor.role != "relay":
            self._set_token_moment(actor, began_at)
        if actor.role == "device" and not (self._joins_in_story(actor) or self._is_stranger(actor)):
            yield from self.join(step, actor.name)

    def _probe(self, step: str, name: str) -> Directions[None]:
        call = self._stage.call(name, PROBE_VERB, {})
        yield from self._pace.wait_for(self._stage.now + SETUP_DEADLINE_S, lambda: call.done)
        if call.error != "unsupported":
            why = f"{name} answered a verb that does not exist: {call.reply}"
            raise StoryStopped(step, why, "untrusted-adapter", ran_out=not call.done)

    def _set_token_moment(self, actor: Actor, began_at: float) -> None:
        lives_s = self._plan.given.get(actor.name, {}).get("token", {}).get("lives")
        if lives_s is not None:
            at = began_at + lives_s
            self._pace.moments["token.expiry"] = at
            self._pace.at(at, lambda: self._pace.moment("token.expiry", actor=actor.name))

    def join(self, step: str, name: str) -> Directions[None]:
        """Attach a device to the session that it finds in the list."""
        listed = yield from self._pace.must(step, name, "list", {})
        wanted, sessions = self.session_of(name), listed.get("sessions")
        ids = [one.get("session") for one in sessions if isinstance(one, dict)] if isinstance(sessions, list) else []
        found = [one for one in ids if isinstance(one, str) and wanted in ("", one)]
        if not found:
            raise StoryStopped(step, f"{name} finds no session in the list", "not-listed")
        yield from self._pace.must(step, name, "attach", {"session": found[0]})

    def session_of(self, _name: str) -> str:
        """Id of the session that somebody is to join; empty before the host has one."""
        started = self._pace.seen.data("host", "start")
        return str(started[-1].get("session", "")) if started else ""

    def _starts_later(self, actor: Actor) -> bool:
        return bool(self._plan.given.get(actor.name, {}).get("starts") == "later")

    def _account_of(self, actor: Actor) -> str:
        return str(self._plan.given.get(actor.name, {}).get("account", {}).get("name", "owner"))

    def _is_stranger(self, actor: Actor) -> bool:
        """Whether a device is of an account that has no host here: there is nothing that it could join by itself."""
        hosts = {self._account_of(one) for one in self._plan.cast if one.role == "host"}
        return bool(hosts) and self._account_of(actor) not in hosts

    def _joins_in_story(self, actor: Actor) -> bool:
        return any(
            step.actor == actor.name and step.verb in ("joins", "opens") for step in every_step(self._plan.story)
        )

    def _prepare_doors(self) -> Directions[None]:
        """A decision needs a pending request: it is made before the story, while everybody can still learn of it."""
        for step in every_step(self._plan.story):
            if step.verb == "tries" and step.args.get("value") == "approve":
                self._pace.agent(step.id, "host", "ask", tool=door_tool(step))
                yield from self._pace.wait(
                    self._stage.now + 5.0, lambda: bool(self._pace.seen.data("host", "tool.asked"))
                )


def door_tool(step: Step) -> str:
    """The tool that is asked about where a step tries the door `approve`."""
    return f"knock {step.id}"
