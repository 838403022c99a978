#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_WRITES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_WRITES_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/manifest_needs.h"
#include "services/manifest/format/manifest_validator.h"

// All records that come and go with one manifest, but for its tags. Within transactions that hold the manifest
// exclusively.
namespace entrepot::manifest {

// `needs` are those that are there.
void WriteManifest(kv::KvTransaction& transaction, const RepositoryName& repository, const Digest& digest,
                   const std::string& content, const ValidManifest& manifest, const std::vector<FoundNeed>& needs,
                   absl::Time now);

// What a stored manifest refers to, present or not, each digest once. kDataLoss where it cannot be read.
absl::StatusOr<std::set<Digest>> ReferencesOf(const Digest& digest, const storage::v1::ManifestRecord& record);

// `references` are ReferencesOf() it; the transaction holds their blobs. Each is queued for review.
absl::Status RemoveManifest(kv::KvTransaction& transaction, const RepositoryName& repository, const Digest& digest,
                            const storage::v1::ManifestRecord& record, const std::set<Digest>& references,
                            absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_WRITES_H_
