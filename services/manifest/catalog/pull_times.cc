#include "services/manifest/catalog/pull_times.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "prometheus/counter.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/pull_notes.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::ManifestUseRecord;
using storage::v1::PullRecord;
using storage::v1::PullTrackingRecord;

// The number of notes that one transaction writes. It holds their tags and manifests meanwhile.
constexpr size_t kBatch = 64;

class StoredPullTimes : public PullTimes {
 public:
  StoredPullTimes(kv::KvEngine* kv, const Clock* clock, std::shared_ptr<prometheus::Registry> registry)
      : kv_(*kv),
        clock_(*clock),
        registry_(registry != nullptr ? std::move(registry) : std::make_shared<prometheus::Registry>()),
        lost_(prometheus::BuildCounter()
                  .Name("entrepot_pull_notes_lost_total")
                  .Help("Pulls whose time was not recorded because too many others waited to be written.")
                  .Register(*registry_)
                  .Add({})),
        since_(clock->Now()) {}

  void Note(const RepositoryName& repository, const Tag& tag) override {
    if (!notes_.Add(keys::Pull(repository, tag), clock_.Now())) lost_.Increment();
  }

  void NoteCached(const RepositoryName& repository, const Digest& digest) override {
    if (!notes_.Add(keys::ManifestUse(repository, digest), clock_.Now(), kCachedPrecision)) lost_.Increment();
  }

  absl::Status Flush() override {
    RETURN_IF_ERROR(EnsureTrackingRecord());
    std::vector<PullNote> notes = notes_.Take();
    std::sort(notes.begin(), notes.end(), [](const PullNote& a, const PullNote& b) { return a.key < b.key; });
    while (!notes.empty()) {
      const size_t first = notes.size() - std::min(notes.size(), kBatch);
      if (absl::Status status = Write(absl::MakeSpan(notes).subspan(first)); !status.ok()) {
        notes_.PutBack(notes);
        return status;
      }
      notes.erase(notes.begin() + static_cast<std::ptrdiff_t>(first), notes.end());
    }
    return absl::OkStatus();
  }

 private:
  // Records since when pulls are known. A tag without a pull record may have been pulled before that.
  absl::Status EnsureTrackingRecord() {
    const std::string key = keys::PullTracking();
    if (has_tracking_record_) return absl::OkStatus();
    RETURN_IF_ERROR(kv_.Transact({{key, LockMode::kExclusive}}, [&](kv::KvTransaction& transaction) -> absl::Status {
      ASSIGN_OR_RETURN(const std::optional<std::string> before, transaction.Get(key));
      if (before.has_value()) return absl::OkStatus();
      PullTrackingRecord record;
      *record.mutable_since() = ToTimestamp(since_);
      kv::WriteRecord(transaction, key, record);
      return absl::OkStatus();
    }));
    has_tracking_record_ = true;
    return absl::OkStatus();
  }

  // Holds each tag and manifest, so that it is not removed meanwhile: no record may remain without it.
  absl::Status Write(absl::Span<const PullNote> notes) {
    CatalogLocks locks;
    // Alternately the key of a record that exists as long as what was pulled does, and that of the time.
    std::vector<std::string> wanted;
    for (const PullNote& note : notes) {
      ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(note.key));
      locks.Repository(*key.repository, LockMode::kShared);
      if (key.kind == keys::Kind::kManifestUse) {
        locks.Manifest(*key.repository, *key.digest, LockMode::kShared);
        wanted.push_back(note.key);
      } else {
        locks.Tag(*key.repository, *key.tag, LockMode::kShared);
        wanted.push_back(keys::Tag(*key.repository, *key.tag));
      }
      wanted.push_back(note.key);
    }
    const auto write = [&](kv::KvTransaction& transaction) -> absl::Status {
      ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> found, transaction.MultiGet(wanted));
      for (size_t i = 0; i < notes.size(); ++i) {
        if (!found[2 * i].has_value()) continue;
        RETURN_IF_ERROR(WriteNote(transaction, notes[i], found[2 * i + 1]));
      }
      return absl::OkStatus();
    };
    return kv_.Transact(std::move(locks).Take(), write, kv::Durability::kBuffered);
  }

  static absl::Status WriteNote(kv::KvTransaction& transaction, const PullNote& note,
                                const std::optional<std::string>& stored) {
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(note.key));
    if (key.kind == keys::Kind::kManifestUse) {
      ASSIGN_OR_RETURN(ManifestUseRecord record, kv::ParseRecord<ManifestUseRecord>(note.key, *stored));
      if (note.pulled_at <= FromTimestamp(record.used_at())) return absl::OkStatus();
      *record.mutable_used_at() = ToTimestamp(note.pulled_at);
      kv::WriteRecord(transaction, note.key, record);
      return absl::OkStatus();
    }
    PullRecord record;
    if (stored.has_value()) {
      ASSIGN_OR_RETURN(record, kv::ParseRecord<PullRecord>(note.key, *stored));
      if (note.pulled_at - FromTimestamp(record.pulled_at()) < PullNotes::kPrecision) return absl::OkStatus();
    }
    *record.mutable_pulled_at() = ToTimestamp(note.pulled_at);
    kv::WriteRecord(transaction, note.key, record);
    return absl::OkStatus();
  }

  kv::KvEngine& kv_;
  const Clock& clock_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& lost_;
  PullNotes notes_;
  const absl::Time since_;
  std::atomic<bool> has_tracking_record_{false};
};

}  // namespace

std::unique_ptr<PullTimes> PullTimes::Create(kv::KvEngine* kv, const Clock* clock,
                                             std::shared_ptr<prometheus::Registry> registry) {
  return std::make_unique<StoredPullTimes>(kv, clock, std::move(registry));
}

}  // namespace entrepot::manifest
