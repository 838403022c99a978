#include "services/manifest/scrub/damage_report_gate.h"

namespace entrepot::manifest {

bool ReportGate::IsSettled(const std::string& thing) {
  const absl::Time* const settled_at = settled_at_.Find(thing);
  if (settled_at == nullptr) return false;
  const absl::Duration ago = clock_.Now() - *settled_at;
  return absl::ZeroDuration() <= ago && ago < kRemembered;
}

absl::Status ReportGate::Pass(const std::string& thing, const std::function<absl::Status()>& examine) {
  {
    absl::MutexLock lock(&mutex_);
    for (;;) {
      if (IsSettled(thing)) return absl::OkStatus();
      if (running_.size() < kAtOnceMax && running_.insert(thing).second) break;
      changed_.Wait(&mutex_);
    }
  }
  absl::Status status = examine();
  absl::MutexLock lock(&mutex_);
  running_.erase(thing);
  if (status.ok()) settled_at_[thing] = clock_.Now();
  changed_.SignalAll();
  return status;
}

}  // namespace entrepot::manifest
