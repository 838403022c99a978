#include "services/manifest/records/tag_record.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

constexpr size_t kTagsAPage = 1000;

}  // namespace

absl::StatusOr<std::optional<Digest>> ReadTag(kv::KvReader& kv, const RepositoryName& repository, const Tag& tag) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(keys::Tag(repository, tag)));
  if (!value.has_value()) return std::nullopt;
  return DigestOfTag(repository, tag, *value);
}

absl::StatusOr<Digest> DigestOfTag(const RepositoryName& repository, const Tag& tag, absl::string_view value) {
  ASSIGN_OR_RETURN(const auto record, kv::ParseRecord<storage::v1::TagRecord>(keys::Tag(repository, tag), value));
  absl::StatusOr<Digest> digest = Digest::Parse(record.digest());
  if (!digest.ok()) {
    return absl::DataLossError(
        absl::StrCat("the record of the tag ", repository.ToString(), ":", tag.ToString(), " has no digest"));
  }
  return *std::move(digest);
}

absl::StatusOr<std::set<Tag>> TagsOfManifest(kv::KvReader& kv, const RepositoryName& repository, const Digest& digest) {
  std::set<Tag> tags;
  kv::ScanOptions scan{.prefix = keys::TagsOfManifest(repository, digest), .start_after = "", .limit = kTagsAPage};
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page, kv.Scan(scan));
    for (const kv::KeyValue& entry : page) {
      ASSIGN_OR_RETURN(keys::Decoded decoded, keys::Decode(entry.key));
      tags.insert(*std::move(decoded.tag));
    }
    if (page.size() < scan.limit) return tags;
    scan.start_after = page.back().key;
  }
}

absl::Status WriteTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag,
                      const Digest& digest, const std::string& pushed_by, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<Digest> before, ReadTag(transaction, repository, tag));
  if (before.has_value() && !(*before == digest)) {
    transaction.Delete(keys::TagOfManifest(repository, *before, tag));
  }
  storage::v1::TagRecord record;
  record.set_digest(digest.ToString());
  *record.mutable_pushed_at() = ToTimestamp(now);
  record.set_pushed_by(pushed_by);
  kv::WriteRecord(transaction, keys::Tag(repository, tag), record);
  kv::WriteRecord(transaction, keys::TagOfManifest(repository, digest, tag), storage::v1::TagOfManifestRecord());
  return absl::OkStatus();
}

void RemoveTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag, const Digest& digest) {
  transaction.Delete(keys::Tag(repository, tag));
  transaction.Delete(keys::TagOfManifest(repository, digest, tag));
  transaction.Delete(keys::Pull(repository, tag));
}

}  // namespace entrepot::manifest
