#include "services/manifest/scrub/damage_report_gate.h"

namespace entrepot::manifest {

bool DamageReportGate::WasVerified(const std::string& object) {
  const absl::Time* const verified_at = verified_at_.Find(object);
  if (verified_at == nullptr) return false;
  const absl::Duration ago = clock_.Now() - *verified_at;
  return absl::ZeroDuration() <= ago && ago < kRemembered;
}

absl::Status DamageReportGate::Run(const std::string& object, const std::function<absl::Status()>& verify) {
  {
    absl::MutexLock lock(&mutex_);
    for (;;) {
      if (WasVerified(object)) return absl::OkStatus();
      if (running_.size() < kConcurrentMax && running_.insert(object).second) break;
      ++waiting_;
      changed_.Wait(&mutex_);
      --waiting_;
    }
  }
  absl::Status status = verify();
  absl::MutexLock lock(&mutex_);
  running_.erase(object);
  if (status.ok()) verified_at_[object] = clock_.Now();
  changed_.SignalAll();
  return status;
}

size_t DamageReportGate::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_;
}

}  // namespace entrepot::manifest
