#include "services/manifest/scrub/corrupt_blobs.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

constexpr size_t kShownMax = 1000;
constexpr size_t kShownRepositoriesMax = 10;
constexpr absl::Duration kRecheckInterval = absl::Minutes(1);

}  // namespace

CorruptBlobs::CorruptBlobs(kv::KvEngine* kv, const Clock* clock, const std::shared_ptr<prometheus::Registry>& registry)
    : kv_(*kv),
      clock_(*clock),
      registry_(registry != nullptr ? registry : std::make_shared<prometheus::Registry>()),
      gauge_(prometheus::BuildGauge()
                 .Name("entrepot_scrub_corrupt_blobs")
                 .Help("Blobs whose bytes are damaged or lost and that no push has healed yet.")
                 .Register(*registry_)
                 .Add({})) {}

void CorruptBlobs::UpdateGauge() { gauge_.Set(static_cast<double>(known_.size())); }

void CorruptBlobs::Add(const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  known_.insert(digest);
  added_while_reading_.insert(digest);
  UpdateGauge();
}

absl::Status CorruptBlobs::EnsureCounted() {
  {
    absl::MutexLock lock(&mutex_);
    if (counted_) return absl::OkStatus();
  }
  return Count();
}

absl::Status CorruptBlobs::Count() {
  absl::MutexLock reading(&reading_);
  {
    absl::MutexLock lock(&mutex_);
    added_while_reading_.clear();
  }
  std::set<Digest> found;
  RecordCursor cursor(&kv_, keys::Blobs(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) break;
    const absl::StatusOr<BlobRecord> record = kv::ParseRecord<BlobRecord>(entry->key, entry->value);
    if (!record.ok() || record->state() != BlobRecord::CORRUPT) continue;
    ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
    found.insert(*std::move(key.digest));
  }
  absl::MutexLock lock(&mutex_);
  known_ = std::move(found);
  known_.merge(added_while_reading_);
  counted_ = true;
  UpdateGauge();
  return absl::OkStatus();
}

absl::Status CorruptBlobs::FillStatus(v1::MaintenanceStatus* status) {
  RETURN_IF_ERROR(EnsureCounted());
  std::vector<Digest> shown;
  {
    absl::MutexLock lock(&mutex_);
    for (auto digest = known_.begin(); digest != known_.end() && shown.size() < kShownMax; ++digest) {
      shown.push_back(*digest);
    }
  }
  for (const Digest& digest : shown) {
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(kv_, keys::Blob(digest)));
    if (!record.has_value() || record->state() != BlobRecord::CORRUPT) continue;
    RETURN_IF_ERROR(Describe(digest, *record, status->add_corrupt()));
  }
  return absl::OkStatus();
}

absl::Status CorruptBlobs::Describe(const Digest& digest, const BlobRecord& record, v1::CorruptBlob* blob) {
  blob->set_digest(digest.ToString());
  blob->set_size_bytes(record.size_bytes());
  *blob->mutable_found_at() = record.corrupt_since();
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> links,
                   kv_.Scan({.prefix = keys::LinksOf(digest), .start_after = "", .limit = kShownRepositoriesMax}));
  for (const kv::KeyValue& link : links) {
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(link.key));
    blob->add_repositories(key.repository->ToString());
  }
  return absl::OkStatus();
}

absl::Status CorruptBlobs::Recheck() {
  std::set<Digest> known;
  {
    const absl::Time now = clock_.Now();
    absl::MutexLock lock(&mutex_);
    if (now - checked_at_ < kRecheckInterval && checked_at_ <= now) return absl::OkStatus();
    checked_at_ = now;
    known = known_;
  }
  std::vector<Digest> removed;
  for (const Digest& digest : known) {
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(kv_, keys::Blob(digest)));
    if (!record.has_value() || record->state() != BlobRecord::CORRUPT) removed.push_back(digest);
  }
  absl::MutexLock lock(&mutex_);
  for (const Digest& digest : removed) known_.erase(digest);
  UpdateGauge();
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
