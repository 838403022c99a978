#include "gateway/http/connection_slots.h"

#include <algorithm>
#include <utility>

#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway::http {

ConnectionSlots::Slot::~Slot() { slots_->Release(this); }

void ConnectionSlots::Slot::set_close(std::function<void(uint64_t id)> close) {
  std::lock_guard lock(slots_->mutex_);
  close_ = std::move(close);
}

ConnectionSlots::Outcome ConnectionSlots::Take(const std::string& source, std::unique_ptr<Slot>* slot) {
  std::lock_guard lock(mutex_);
  const auto found = sources_.find(source);
  Source* from = found == sources_.end() ? nullptr : found->second.get();
  if (from != nullptr && !source.empty() && IsScarce() && from->open >= limits_.per_source_max) {
    LogLimit("limits.connections_per_address_max", limits_.per_source_max, source, from->open);
    if (!AskToClose(from)) return Outcome::kRefused;
    wanted_ = true;
    return Outcome::kWait;
  }
  if (all_.size() >= limits_.max) {
    const auto most = std::max_element(sources_.begin(), sources_.end(),
                                       [](const auto& a, const auto& b) { return a.second->open < b.second->open; });
    LogLimit("limits.connections_max", limits_.max, most->first, most->second->open);
    AskToClose(nullptr);
    wanted_ = true;
    return Outcome::kWait;
  }
  if (from == nullptr) {
    from = sources_.emplace(source, std::make_unique<Source>(Source{source})).first->second.get();
  }
  ++from->open;
  slot->reset(new Slot(this, next_id_++, from));
  (*slot)->index_ = all_.size();
  all_.push_back(slot->get());
  open_gauge_->Set(static_cast<double>(all_.size()));
  return Outcome::kTaken;
}

void ConnectionSlots::MakeRoom() {
  std::lock_guard lock(mutex_);
  AskToClose(nullptr);
}

bool ConnectionSlots::AskToClose(const Source* only) {
  struct Candidate {
    size_t open;
    int64_t since;
    Slot* slot;
  };
  std::vector<Candidate> candidates;
  bool asked = false;
  for (Slot* slot : all_) {
    if (only != nullptr && slot->source_ != only) continue;
    const int64_t since = slot->waiting_since_.load(std::memory_order_relaxed);
    if (since == Slot::kBusy || !slot->close_) continue;
    if (slot->asked_.load(std::memory_order_relaxed)) {
      asked = true;
    } else {
      const Source& source = *slot->source_;
      candidates.push_back({source.name.empty() ? 1 : source.open, since, slot});
    }
  }
  // Several at once: looking at all connections for each new one would take long if many come.
  const size_t count = std::min(candidates.size(), std::max<size_t>(1, limits_.max / 64));
  std::partial_sort(
      candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(count), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.open != b.open ? a.open > b.open : a.since < b.since; });
  for (size_t i = 0; i < count; ++i) {
    Slot* const slot = candidates[i].slot;
    slot->asked_.store(true, std::memory_order_relaxed);
    slot->close_(slot->id_);
  }
  return asked || count > 0;
}

void ConnectionSlots::LogLimit(const char* setting, size_t limit, const std::string& source, size_t connections) {
  runtime::LogLimited(runtime::LogLevel::kWarning, "a limit on connections is reached", setting,
                      {{"setting", setting},
                       {"limit", limit},
                       {"open", all_.size()},
                       {"remote_address", source},
                       {"connections_of_address", connections}});
}

void ConnectionSlots::Release(Slot* slot) {
  std::lock_guard lock(mutex_);
  all_[slot->index_] = all_.back();
  all_[slot->index_]->index_ = slot->index_;
  all_.pop_back();
  if (--slot->source_->open == 0) sources_.erase(std::string(slot->source_->name));
  open_gauge_->Set(static_cast<double>(all_.size()));
  if (all_.empty()) changed_.notify_all();
  if (std::exchange(wanted_, false) && on_free_) on_free_();
}

void ConnectionSlots::CloseEntrance() {
  std::lock_guard lock(mutex_);
  entrance_closed_ = true;
  changed_.notify_all();
}

bool ConnectionSlots::WaitUntilNone(Deadline deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline.time(), [this] { return all_.empty() && entrance_closed_; });
}

}  // namespace entrepot::gateway::http
