#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::manifest {

// Removes the tags and manifests that the rules do not keep, through the catalog, like any client: immutable tags are
// kept, and the collector deletes the blobs. Manifests with a subject (signatures, attestations) are kept and removed
// with their subject; manifests that an index lists are kept with the index.
class Retention {
 public:
  // All pointers must outlive the Retention. `audit` is called with each removal; it may be empty.
  Retention(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog,
            std::function<void(const v1::RetentionReport::Removal&)> audit);

  // A dry run only reports. After an error in one repository the others are still processed; the first error is
  // returned.
  absl::StatusOr<v1::RetentionReport> Apply(const RetentionRules& rules, bool dry_run, const Pace& pace);

 private:
  kv::KvEngine* const kv_;
  const Clock* const clock_;
  RegistryCatalog* const catalog_;
  const std::function<void(const v1::RetentionReport::Removal&)> audit_;
};

// Retention that knows all pulls until now, and writes each removal to the audit log, as the event "retention".
// Thread-safe.
class AuditedRetention {
 public:
  // All pointers must outlive the AuditedRetention; `pulls` and `audit` may be null.
  AuditedRetention(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog, PullTimes* pulls,
                   runtime::AuditLog* audit)
      : kv_(kv), clock_(clock), catalog_(catalog), pulls_(pulls), audit_(audit) {}

  // `account`: the account that asked for it; empty if it runs on schedule.
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

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_H_
