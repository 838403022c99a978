#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_HISTORY_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_HISTORY_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/kv/kv_engine.h"

// The history of collections: the last hundred runs, of all collectors, that changed something.
namespace entrepot::manifest {

// Adds the run, unless it changed nothing.
absl::Status AddToHistory(kv::KvEngine& kv, const v1::Collection& collection);

// Newest first.
absl::StatusOr<std::vector<v1::Collection>> ReadHistory(kv::KvReader& kv);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_HISTORY_H_
