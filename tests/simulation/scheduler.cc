#include "tests/simulation/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace entrepot::simulation {
namespace {

uint64_t Mix(uint64_t hash, absl::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

}  // namespace

void Scheduler::Spawn(std::string name, std::function<void()> body) {
  auto actor = std::make_unique<Actor>();
  actor->name = std::move(name);
  actor->fiber = std::make_unique<Fiber>(std::move(body));
  actors_.push_back(std::move(actor));
}

void Scheduler::Run() {
  while (!actors_.empty()) {
    Actor* const next = Choose();
    if (next == nullptr) {
      stuck_ = true;
      Stop();
      continue;
    }
    running_ = next;
    next->fiber->Resume();
    running_ = nullptr;
    if (!next->fiber->ended()) continue;
    actors_.erase(std::find_if(actors_.begin(), actors_.end(),
                               [&](const std::unique_ptr<Actor>& actor) { return actor.get() == next; }));
  }
}

bool Scheduler::MayRun(const Actor& actor) const {
  if (stopped_) return true;
  if (actor.stalled_until > steps_) return false;
  return actor.condition == nullptr || (*actor.condition)();
}

Scheduler::Actor* Scheduler::Choose() {
  for (;;) {
    std::vector<Actor*> ready;
    for (const std::unique_ptr<Actor>& actor : actors_) {
      if (MayRun(*actor)) ready.push_back(actor.get());
    }
    if (!ready.empty()) return ready[random_.Below(ready.size())];
    // All actors wait or are stalled: end the stall that would end first.
    Actor* first = nullptr;
    for (const std::unique_ptr<Actor>& actor : actors_) {
      if (actor->stalled_until <= steps_) continue;
      if (first == nullptr || actor->stalled_until < first->stalled_until) first = actor.get();
    }
    if (first == nullptr) return nullptr;
    first->stalled_until = 0;
  }
}

void Scheduler::Step(absl::string_view what, absl::string_view detail) {
  if (stopped_) return;
  if (running_ == nullptr) return Note(what, detail);
  Count(what, detail);
  if (stopped_) return;
  if (random_.OneIn(options_.stall_one_in)) {
    Stall();
  } else if (!random_.OneIn(options_.switch_one_in)) {
    return;
  }
  Pause();
}

void Scheduler::WaitUntil(absl::string_view what, const std::function<bool()>& condition) {
  if (running_ == nullptr || stopped_ || condition()) return;
  Count(what, "");
  running_->condition = &condition;
  Pause();
}

void Scheduler::Pause() {
  Actor* const self = running_;
  Fiber::Pause();
  running_ = self;
  self->condition = nullptr;
}

void Scheduler::Stall() {
  // Most stalls are short; some last longer than the rest of the history.
  const uint64_t longest = uint64_t{8} << random_.Below(10);
  running_->stalled_until = steps_ + 1 + random_.Below(longest);
  Note("stalls");
}

void Scheduler::Count(absl::string_view what, absl::string_view detail) {
  ++steps_;
  fingerprint_ = Mix(Mix(fingerprint_, running_->name), what);
  if (options_.trace) trace_.push_back(absl::StrCat(steps_, "  ", running_->name, ": ", what, " ", detail));
  if (steps_ >= options_.steps_max) {
    stuck_ = true;
    Stop();
    return;
  }
  if (event_ != nullptr && random_.OneIn(options_.event_one_in)) event_();
}

void Scheduler::Note(absl::string_view what, absl::string_view detail) {
  if (!options_.trace) return;
  trace_.push_back(absl::StrCat(steps_, "  ", running_ == nullptr ? "" : running_->name, "  -- ", what, " ", detail));
}

}  // namespace entrepot::simulation
