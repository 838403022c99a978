#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/retention/retention_rules.h"

namespace entrepot::manifest {

// Removes the tags and manifests that the rules do not keep, through the catalog, as any client would: immutable tags
// stay, and what went is for the collector. Of each removal `audit` hears, if it is given. Signatures and attestations
// (manifests with a subject) stay and go with their subject; what an index lists stays with the index.
class Retention {
 public:
  // All outlive it.
  Retention(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog,
            std::function<void(const v1::RetentionReport::Removal&)> audit);

  // A dry run only reports. Errors of one repository do not keep the others from being gone through; the first is
  // returned.
  absl::StatusOr<v1::RetentionReport> Apply(const RetentionRules& rules, bool dry_run, const Pace& pace);

 private:
  kv::KvEngine* const kv_;
  const Clock* const clock_;
  RegistryCatalog* const catalog_;
  const std::function<void(const v1::RetentionReport::Removal&)> audit_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_H_
