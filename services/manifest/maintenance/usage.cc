#include "services/manifest/maintenance/usage.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
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

constexpr size_t kRepositoriesMax = 1000;
// The number of records that are read between two calls of the pace.
constexpr uint64_t kStep = 100;

class Measurement {
 public:
  Measurement(kv::KvReader& kv, const Pace& pace) : kv_(kv), pace_(pace) {}

  absl::StatusOr<v1::Usage> Run() && {
    RETURN_IF_ERROR(MeasureBlobs());
    RETURN_IF_ERROR(MeasureManifests());
    RETURN_IF_ERROR(CountTags());
    return std::move(*this).Report();
  }

 private:
  using Repository = v1::Usage::Repository;

  // Reads blobs and links side by side: both are sorted by digest, so all links of a blob are read together with it.
  absl::Status MeasureBlobs() {
    RecordCursor blobs(&kv_, keys::Blobs(), "");
    RecordCursor links(&kv_, keys::Links(), "");
    ASSIGN_OR_RETURN(std::optional<keys::Decoded> link, NextKey(links));
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, blobs.Next());
      if (entry == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Step(entry->value.size()));
      ASSIGN_OR_RETURN(const keys::Decoded blob, keys::Decode(entry->key));
      ASSIGN_OR_RETURN(const BlobRecord record, kv::ParseRecord<BlobRecord>(entry->key, entry->value));
      // The bytes of a CORRUPT blob are quarantined, and do not count.
      const bool counts = record.state() == BlobRecord::LIVE || record.state() == BlobRecord::CONDEMNED;
      Repository* only = nullptr;
      uint64_t holders = 0;
      // A link of a smaller digest belongs to a blob that was made or deleted meanwhile.
      while (link.has_value() && !(*blob.digest < *link->digest)) {
        if (counts && *link->digest == *blob.digest) {
          only = &Of(*link->repository);
          ++holders;
          only->set_blobs(only->blobs() + 1);
          only->set_bytes(only->bytes() + record.size_bytes());
        }
        ASSIGN_OR_RETURN(link, NextKey(links));
      }
      if (!counts) continue;
      if (holders == 1) only->set_own_bytes(only->own_bytes() + record.size_bytes());
      if (holders == 0) usage_.set_unlinked_bytes(usage_.unlinked_bytes() + record.size_bytes());
      usage_.set_blobs(usage_.blobs() + 1);
      usage_.set_stored_bytes(usage_.stored_bytes() + record.size_bytes());
      usage_.set_linked_bytes(usage_.linked_bytes() + holders * record.size_bytes());
    }
  }

  absl::Status MeasureManifests() {
    RecordCursor cursor(&kv_, keys::Manifests(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Step(entry->value.size()));
      ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry->key));
      ASSIGN_OR_RETURN(const ManifestRecord record, kv::ParseRecord<ManifestRecord>(entry->key, entry->value));
      const uint64_t size_bytes = record.content().size();
      Repository& repository = Of(*key.repository);
      repository.set_manifests(repository.manifests() + 1);
      repository.set_bytes(repository.bytes() + size_bytes);
      repository.set_own_bytes(repository.own_bytes() + size_bytes);
      usage_.set_stored_bytes(usage_.stored_bytes() + size_bytes);
      usage_.set_linked_bytes(usage_.linked_bytes() + size_bytes);
    }
  }

  absl::Status CountTags() {
    RecordCursor cursor(&kv_, keys::Tags(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const std::optional<keys::Decoded> key, NextKey(cursor));
      if (!key.has_value()) return absl::OkStatus();
      Repository& repository = Of(*key->repository);
      repository.set_tags(repository.tags() + 1);
    }
  }

  absl::StatusOr<std::optional<keys::Decoded>> NextKey(RecordCursor& cursor) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return std::nullopt;
    RETURN_IF_ERROR(Step(entry->value.size()));
    ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
    return std::optional<keys::Decoded>(std::move(key));
  }

  absl::Status Step(uint64_t bytes) {
    step_bytes_ += bytes;
    if (++step_ < kStep) return absl::OkStatus();
    const bool go_on = pace_(step_, step_bytes_);
    step_ = step_bytes_ = 0;
    return go_on ? absl::OkStatus() : absl::CancelledError("stopped before the end");
  }

  Repository& Of(const RepositoryName& name) {
    Repository& repository = repositories_[name.ToString()];
    if (repository.name().empty()) repository.set_name(name.ToString());
    return repository;
  }

  // Of a cache.
  absl::Status FindLastUse(const RepositoryName& name, Repository* repository) {
    RecordCursor cursor(&kv_, keys::ManifestUsesOf(name), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Step(entry->value.size()));
      ASSIGN_OR_RETURN(const ManifestUseRecord use, kv::ParseRecord<ManifestUseRecord>(entry->key, entry->value));
      if (!repository->has_last_used_at() || FromTimestamp(repository->last_used_at()) < FromTimestamp(use.used_at())) {
        *repository->mutable_last_used_at() = use.used_at();
      }
    }
  }

  absl::StatusOr<v1::Usage> Report() && {
    std::vector<Repository> sorted;
    sorted.reserve(repositories_.size());
    for (auto& [name, repository] : repositories_) sorted.push_back(std::move(repository));
    const size_t shown = std::min(sorted.size(), kRepositoriesMax);
    std::partial_sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(shown), sorted.end(),
                      [](const Repository& a, const Repository& b) {
                        return a.bytes() != b.bytes() ? a.bytes() > b.bytes() : a.name() < b.name();
                      });
    usage_.set_repository_count(sorted.size());
    for (size_t i = 0; i < shown; ++i) {
      ASSIGN_OR_RETURN(const RepositoryName name, RepositoryName::Parse(sorted[i].name()));
      ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv_, name));
      if (record.has_value() && !record->cache_of().empty()) {
        sorted[i].set_cache_of(record->cache_of());
        RETURN_IF_ERROR(FindLastUse(name, &sorted[i]));
      }
      *usage_.add_repositories() = std::move(sorted[i]);
    }
    return std::move(usage_);
  }

  kv::KvReader& kv_;
  const Pace& pace_;
  absl::node_hash_map<std::string, Repository> repositories_;
  v1::Usage usage_;
  uint64_t step_ = 0;
  uint64_t step_bytes_ = 0;
};

}  // namespace

absl::StatusOr<v1::Usage> MeasureUsage(kv::KvReader& kv, const Pace& pace) { return Measurement(kv, pace).Run(); }

}  // namespace entrepot::manifest
