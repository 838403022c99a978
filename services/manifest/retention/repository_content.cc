#include "services/manifest/retention/repository_content.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ManifestRecord;
using storage::v1::PullRecord;
using storage::v1::TagRecord;

// Calls `take` with each record that has the prefix, and with its decoded key.
template <typename Record, typename Take>
absl::Status ReadEach(kv::KvReader& kv, const std::string& prefix, const Pace& pace, const Take& take) {
  RecordCursor cursor(&kv, prefix, "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
    ASSIGN_OR_RETURN(const Record record, kv::ParseRecord<Record>(entry->key, entry->value));
    RETURN_IF_ERROR(take(std::move(key), record));
    if (!pace(1, entry->value.size())) return absl::CancelledError("stopped before the end");
  }
}

}  // namespace

absl::StatusOr<RepositoryContent> ReadRepositoryContent(kv::KvReader& kv, const RepositoryName& repository,
                                                        const Pace& pace) {
  RepositoryContent content;
  absl::flat_hash_map<std::string, absl::Time> pulls;
  RETURN_IF_ERROR(ReadEach<PullRecord>(kv, keys::PullsOf(repository), pace,
                                       [&](const keys::Decoded& key, const PullRecord& record) {
                                         pulls[key.tag->ToString()] = FromTimestamp(record.pulled_at());
                                         return absl::OkStatus();
                                       }));
  RETURN_IF_ERROR(ReadEach<TagRecord>(kv, keys::TagsOf(repository), pace,
                                      [&](keys::Decoded key, const TagRecord& record) -> absl::Status {
                                        ASSIGN_OR_RETURN(Digest digest, Digest::Parse(record.digest()));
                                        TagState state{.tag = *std::move(key.tag),
                                                       .digest = std::move(digest),
                                                       .pushed_at = FromTimestamp(record.pushed_at()),
                                                       .pulled_at = std::nullopt};
                                        if (const auto pull = pulls.find(state.tag.ToString()); pull != pulls.end())
                                          state.pulled_at = pull->second;
                                        content.tags.push_back(std::move(state));
                                        return absl::OkStatus();
                                      }));
  RETURN_IF_ERROR(ReadEach<ManifestRecord>(
      kv, keys::ManifestsOf(repository), pace, [&](keys::Decoded key, const ManifestRecord& record) -> absl::Status {
        ManifestState state{.pushed_at = FromTimestamp(record.pushed_at()), .subject = std::nullopt};
        if (!record.subject().empty()) {
          ASSIGN_OR_RETURN(state.subject, Digest::Parse(record.subject()));
        }
        content.manifests.emplace(*std::move(key.digest), std::move(state));
        return absl::OkStatus();
      }));
  return content;
}

}  // namespace entrepot::manifest
