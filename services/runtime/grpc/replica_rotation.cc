#include "services/runtime/grpc/replica_rotation.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"

namespace entrepot::runtime {

absl::string_view ToString(ReplicaHealth health) {
  switch (health) {
    case ReplicaHealth::kServing:
      return "serving";
    case ReplicaHealth::kNotServing:
      return "not ready, or shutting down";
    case ReplicaHealth::kUnreachable:
      return "unreachable";
    case ReplicaHealth::kSilent:
      return "silent";
  }
  return "";
}

void ReplicaRotation::Replace(const std::vector<std::shared_ptr<Replica>>& replicas) {
  const absl::MutexLock lock(&mutex_);
  const bool first = entries_.empty();
  std::vector<Entry> entries;
  for (const std::shared_ptr<Replica>& replica : replicas) {
    if (const Entry* const known = Find(*replica); known != nullptr) {
      entries.push_back(*known);
    } else {
      entries.push_back({.replica = replica, .health = first ? ReplicaHealth::kServing : ReplicaHealth::kUnreachable});
    }
  }
  entries_ = std::move(entries);
}

std::vector<std::shared_ptr<Replica>> ReplicaRotation::replicas() const {
  const absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Replica>> replicas;
  for (const Entry& entry : entries_) replicas.push_back(entry.replica);
  return replicas;
}

std::shared_ptr<Replica> ReplicaRotation::Next(Time now) {
  const absl::MutexLock lock(&mutex_);
  const Entry* chosen = LeastBusy([now](const Entry& entry) { return IsUsable(entry, now); });
  if (chosen == nullptr) chosen = LeastBusy([](const Entry&) { return true; });
  return chosen == nullptr ? nullptr : chosen->replica;
}

template <typename Predicate>
const ReplicaRotation::Entry* ReplicaRotation::LeastBusy(Predicate is_candidate) {
  const Entry* chosen = nullptr;
  size_t fewest_calls = 0;
  size_t place = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const size_t here = (next_ + i) % entries_.size();
    const Entry& entry = entries_[here];
    const size_t calls = entry.replica->calls_under_way();
    if (!is_candidate(entry) || (chosen != nullptr && calls >= fewest_calls)) continue;
    chosen = &entry;
    fewest_calls = calls;
    place = here;
  }
  if (chosen != nullptr) next_ = place + 1;
  return chosen;
}

bool ReplicaRotation::ReportCall(const Replica& replica, CallOutcome outcome, Time now) {
  const absl::MutexLock lock(&mutex_);
  Entry* const entry = Find(replica);
  if (entry == nullptr || outcome == CallOutcome::kIndifferent) return false;
  if (outcome == CallOutcome::kAnswered) {
    entry->failures = 0;
    // The ejections of long ago do not count.
    if (entry->ejected_until + kEjectionMax < now) entry->ejections = 0;
    return false;
  }
  if (outcome == CallOutcome::kLost) entry->health = ReplicaHealth::kUnreachable;
  if (++entry->failures < kFailuresMax || entry->ejected_until > now || !MayEject(now)) return false;
  const auto time = kEjectionMin * (1 << std::min(entry->ejections, 4));
  entry->ejected_until = now + std::min<std::chrono::seconds>(time, kEjectionMax);
  ++entry->ejections;
  // After the ejection one failure ejects it again.
  entry->failures = kFailuresMax - 1;
  return true;
}

ReplicaRotation::Change ReplicaRotation::ReportHealth(const Replica& replica, ReplicaHealth health, Time now) {
  const absl::MutexLock lock(&mutex_);
  Entry* const entry = Find(replica);
  if (entry == nullptr) return {};
  Change change{.changed = entry->health != health};
  entry->health = health;
  entry->silent_probes = health == ReplicaHealth::kSilent ? entry->silent_probes + 1 : 0;
  change.give_up_calls = entry->silent_probes >= kSilentProbesMax &&
                         absl::c_any_of(entries_, [now](const Entry& other) { return IsUsable(other, now); });
  return change;
}

std::vector<std::shared_ptr<Replica>> ReplicaRotation::Serving(Time now) const {
  const absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Replica>> serving;
  for (const Entry& entry : entries_) {
    if (IsUsable(entry, now)) serving.push_back(entry.replica);
  }
  return serving;
}

size_t ReplicaRotation::CountEjected(Time now) const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<size_t>(
      absl::c_count_if(entries_, [now](const Entry& entry) { return entry.ejected_until > now; }));
}

ReplicaRotation::Entry* ReplicaRotation::Find(const Replica& replica) {
  for (Entry& entry : entries_) {
    if (entry.replica.get() == &replica) return &entry;
  }
  return nullptr;
}

bool ReplicaRotation::MayEject(Time now) const {
  const auto ejected = absl::c_count_if(entries_, [now](const Entry& entry) { return entry.ejected_until > now; });
  return static_cast<size_t>(ejected + 1) * 2 <= entries_.size();
}

}  // namespace entrepot::runtime
