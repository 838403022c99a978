#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_TAG_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_TAG_RECORD_H_

#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"

// Tags. Each has its record t/ and its entry d/ in the list of the tags of its manifest.
namespace entrepot::manifest {

// The manifest that the tag names; nullopt if there is no such tag.
absl::StatusOr<std::optional<Digest>> ReadTag(kv::KvReader& kv, const RepositoryName& repository, const Tag& tag);

// The same for a record that was read already; `value` is the value of keys::Tag(). kDataLoss if it cannot be parsed.
absl::StatusOr<Digest> DigestOfTag(const RepositoryName& repository, const Tag& tag, absl::string_view value);

// All tags that name the manifest.
absl::StatusOr<std::set<Tag>> TagsOfManifest(kv::KvReader& kv, const RepositoryName& repository, const Digest& digest);

// Makes or moves the tag. The transaction must hold the tag and the manifest exclusively.
absl::Status WriteTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag,
                      const Digest& digest, const std::string& pushed_by, absl::Time now);

// Removes the tag, which must name `digest`, and its pull record. The transaction must hold the tag exclusively.
void RemoveTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag, const Digest& digest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_TAG_RECORD_H_
