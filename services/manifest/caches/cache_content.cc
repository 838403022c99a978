#include "services/manifest/caches/cache_content.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/manifest_writes.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/repository_record.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using storage::v1::ManifestRecord;
using storage::v1::ManifestUseRecord;
using storage::v1::RepositoryRecord;

// The number of records that are read between two calls of the pace, and at once by their keys.
constexpr uint64_t kStep = 100;

class ContentReader {
 public:
  ContentReader(kv::KvReader& kv, const std::string& upstream, const Pace& pace)
      : kv_(kv), upstream_(upstream), pace_(pace) {}

  absl::StatusOr<CacheContent> Run() && {
    RETURN_IF_ERROR(ReadRepositories());
    for (uint32_t i = 0; i < content_.repositories.size(); ++i) RETURN_IF_ERROR(ReadManifests(i));
    RETURN_IF_ERROR(ReadBlobs());
    RETURN_IF_ERROR(ReadReferences());
    return std::move(content_);
  }

 private:
  absl::Status ReadRepositories() {
    RecordCursor cursor(&kv_, keys::Repositories(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Step(entry->size_bytes()));
      const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
      const absl::StatusOr<RepositoryRecord> record = kv::ParseRecord<RepositoryRecord>(entry->key, entry->value);
      if (!key.ok() || !record.ok()) continue;
      if (IsCacheOf(*record, upstream_)) content_.repositories.push_back(*key->repository);
    }
  }

  absl::Status ReadManifests(uint32_t repository) {
    const RepositoryName& name = content_.repositories[repository];
    const size_t first = content_.manifests.size();
    // By the position of the manifest.
    std::vector<std::pair<uint32_t, Digest>> subjects;
    RecordCursor cursor(&kv_, keys::ManifestsOf(name), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) break;
      RETURN_IF_ERROR(Step(entry->size_bytes()));
      const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
      const absl::StatusOr<ManifestRecord> record = kv::ParseRecord<ManifestRecord>(entry->key, entry->value);
      if (!key.ok() || !record.ok()) continue;
      const absl::StatusOr<std::set<Digest>> references = ReferencesOf(*key->digest, *record);
      if (!references.ok()) continue;
      RETURN_IF_ERROR(CheckBound(content_.manifests.size(), CacheContent::kManifestsMax, "manifests"));
      CachedManifest manifest{.repository = repository,
                              .digest = *key->digest,
                              .used_at = FromTimestamp(record->pushed_at()),
                              .size_bytes = record->content().size()};
      for (const Digest& reference : *references) {
        ASSIGN_OR_RETURN(const uint32_t blob, PositionOf(reference));
        ++content_.blobs[blob].references;
        manifest.blobs.push_back(blob);
      }
      if (absl::StatusOr<Digest> subject = Digest::Parse(record->subject()); subject.ok()) {
        subjects.emplace_back(static_cast<uint32_t>(content_.manifests.size()), *std::move(subject));
      }
      content_.manifests.push_back(std::move(manifest));
    }
    absl::flat_hash_map<absl::string_view, uint32_t> positions;
    for (size_t i = first; i < content_.manifests.size(); ++i) {
      positions[content_.manifests[i].digest.ToString()] = static_cast<uint32_t>(i);
    }
    RETURN_IF_ERROR(ReadUses(name, positions));
    for (size_t i = first; i < content_.manifests.size(); ++i) {
      CachedManifest& manifest = content_.manifests[i];
      for (const uint32_t blob : manifest.blobs) {
        const auto child = positions.find(digests_[blob].ToString());
        if (child != positions.end()) manifest.children.push_back(child->second);
      }
    }
    for (const auto& [manifest, digest] : subjects) {
      const auto subject = positions.find(digest.ToString());
      if (subject == positions.end()) continue;
      content_.manifests[manifest].subject = subject->second;
      content_.manifests[subject->second].referrers.push_back(manifest);
    }
    return absl::OkStatus();
  }

  absl::Status ReadUses(const RepositoryName& repository,
                        const absl::flat_hash_map<absl::string_view, uint32_t>& positions) {
    RecordCursor cursor(&kv_, keys::ManifestUsesOf(repository), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Step(entry->size_bytes()));
      const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
      const absl::StatusOr<ManifestUseRecord> record = kv::ParseRecord<ManifestUseRecord>(entry->key, entry->value);
      if (!key.ok() || !record.ok()) continue;
      const auto manifest = positions.find(key->digest->ToString());
      if (manifest != positions.end()) {
        content_.manifests[manifest->second].used_at = FromTimestamp(record->used_at());
      }
    }
  }

  absl::StatusOr<uint32_t> PositionOf(const Digest& digest) {
    const auto found = blob_positions_.find(digest.ToString());
    if (found != blob_positions_.end()) return found->second;
    RETURN_IF_ERROR(CheckBound(digests_.size(), CacheContent::kBlobsMax, "digests that their manifests refer to"));
    const auto position = static_cast<uint32_t>(digests_.size());
    digests_.push_back(digest);
    blob_positions_.emplace(digests_.back().ToString(), position);
    content_.blobs.emplace_back();
    return position;
  }

  absl::Status ReadBlobs() {
    for (size_t first = 0; first < digests_.size(); first += kStep) {
      std::vector<std::string> wanted;
      const size_t end = std::min<size_t>(first + kStep, digests_.size());
      for (size_t i = first; i < end; ++i) wanted.push_back(keys::Blob(digests_[i]));
      ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> found, kv_.MultiGet(wanted));
      for (size_t i = 0; i < wanted.size(); ++i) {
        RETURN_IF_ERROR(Step(wanted[i].size()));
        if (!found[i].has_value()) continue;
        const absl::StatusOr<BlobRecord> record = kv::ParseRecord<BlobRecord>(wanted[i], *found[i]);
        if (record.ok() && record->state() == BlobRecord::LIVE) {
          content_.blobs[first + i].size_bytes = record->size_bytes();
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadReferences() {
    absl::flat_hash_set<absl::string_view> caches;
    for (const RepositoryName& repository : content_.repositories) caches.insert(repository.ToString());
    for (size_t i = 0; i < digests_.size(); ++i) {
      CachedBlob& blob = content_.blobs[i];
      if (blob.size_bytes == 0) continue;
      uint32_t references = 0;
      RecordCursor cursor(&kv_, keys::ReferencesTo(digests_[i]), "");
      while (!blob.needed_elsewhere) {
        ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
        if (entry == nullptr) break;
        RETURN_IF_ERROR(Step(entry->size_bytes()));
        const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
        blob.needed_elsewhere =
            !key.ok() || !caches.contains(key->repository->ToString()) || ++references > blob.references;
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckBound(size_t count, size_t max, absl::string_view what) const {
    if (count < max) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("the caches of ", upstream_, " have more than ", max, " ", what,
                                                     ", which is more than eviction can compare; delete some of their "
                                                     "repositories"));
  }

  absl::Status Step(uint64_t bytes) {
    step_bytes_ += bytes;
    if (++step_ < kStep) return absl::OkStatus();
    const bool go_on = pace_(1, step_bytes_);
    step_ = step_bytes_ = 0;
    return go_on ? absl::OkStatus() : absl::CancelledError("stopped before the end");
  }

  kv::KvReader& kv_;
  const std::string& upstream_;
  const Pace& pace_;
  CacheContent content_;
  // Of the blobs, in their order.
  std::deque<Digest> digests_;
  // By the texts of these.
  absl::flat_hash_map<absl::string_view, uint32_t> blob_positions_;
  uint64_t step_ = 0;
  uint64_t step_bytes_ = 0;
};

}  // namespace

bool IsCacheOf(const std::optional<RepositoryRecord>& repository, absl::string_view upstream) {
  return RepositoryExists(repository) && repository->cache_of() == upstream;
}

absl::StatusOr<CacheContent> ReadCacheContent(kv::KvReader& kv, const std::string& upstream, const Pace& pace) {
  return ContentReader(kv, upstream, pace).Run();
}

}  // namespace entrepot::manifest
