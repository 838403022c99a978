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

// Tags, each with its record and its entry among the tags of its manifest.
namespace entrepot::manifest {

// The manifest that the tag names; nullopt where there is no such tag.
absl::StatusOr<std::optional<Digest>> ReadTag(kv::KvReader& kv, const RepositoryName& repository, const Tag& tag);

// The same of a record that was read already: its value under keys::Tag(). kDataLoss where it cannot be read.
absl::StatusOr<Digest> DigestOfTag(const RepositoryName& repository, const Tag& tag, absl::string_view value);

// All tags of a manifest.
absl::StatusOr<std::set<Tag>> TagsOfManifest(kv::KvReader& kv, const RepositoryName& repository, const Digest& digest);

// Makes or moves the tag. Within a transaction that holds the tag and the manifest exclusively.
absl::Status WriteTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag,
                      const Digest& digest, const std::string& pushed_by, absl::Time now);

// With what is known of its pulls. Within a transaction that holds the tag, which names `digest`, exclusively.
void RemoveTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag, const Digest& digest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_TAG_RECORD_H_
