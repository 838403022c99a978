#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_DELETION_CONDITION_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_DELETION_CONDITION_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "services/core/digest.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// What must be so, at the moment when a tag or a manifest is deleted, for whoever has decided on what he read before.
struct DeletionCondition {
  // Manifests of the same repository that cannot come or go meanwhile.
  std::vector<Digest> manifests_held = {};
  // The last step before the deletion, within its transaction, which holds what goes exclusively: a tag, or a manifest
  // with its tags. Where it is not OK nothing is deleted, and the deletion returns what it returned. May run more than
  // once. None: nothing is asked.
  std::function<absl::Status(kv::KvReader& transaction)> check = {};

  absl::Status Check(kv::KvReader& transaction) const { return check ? check(transaction) : absl::OkStatus(); }
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_DELETION_CONDITION_H_
