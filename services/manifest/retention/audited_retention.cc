#include "services/manifest/retention/audited_retention.h"

#include "services/manifest/retention/retention.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<v1::RetentionReport> AuditedRetention::Apply(const RetentionRules& rules, bool dry_run,
                                                            const std::string& account, const Pace& pace) const {
  if (pulls_ != nullptr) RETURN_IF_ERROR(pulls_->Flush());
  Retention retention(kv_, clock_, catalog_,
                      [&](const v1::RetentionReport::Removal& removal) { Write(removal, account); });
  return retention.Apply(rules, dry_run, pace);
}

void AuditedRetention::Write(const v1::RetentionReport::Removal& removal, const std::string& account) const {
  if (audit_ == nullptr) return;
  audit_->Write("retention", {{"account", account},
                              {"repository", removal.repository()},
                              {"removed", removal.what()},
                              {"reason", removal.reason()}});
}

}  // namespace entrepot::manifest
