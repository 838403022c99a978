#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_AUDITED_RETENTION_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_AUDITED_RETENTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::manifest {

// Retention that knows of every pull until now, and writes down each removal: the event "retention" of the audit log.
// Thread-safe.
class AuditedRetention {
 public:
  // All outlive it; `pulls` and `audit` may be null.
  AuditedRetention(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog, PullTimes* pulls,
                   runtime::AuditLog* audit)
      : kv_(kv), clock_(clock), catalog_(catalog), pulls_(pulls), audit_(audit) {}

  // `account`: whoever asked for it, empty where nobody did.
  absl::StatusOr<v1::RetentionReport> Apply(const RetentionRules& rules, bool dry_run, const std::string& account,
                                            const Pace& pace) const;

 private:
  void Write(const v1::RetentionReport::Removal& removal, const std::string& account) const;

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  RegistryCatalog* const catalog_;
  PullTimes* const pulls_;
  runtime::AuditLog* const audit_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_AUDITED_RETENTION_H_
