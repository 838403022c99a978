#include "services/manifest/check/catalog_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using storage::v1::ReferenceRecord;

constexpr size_t kViolationsMax = 1000;
// By that age, the collector has quarantined orphans.
constexpr absl::Duration kOld = absl::Hours(48);

class CatalogCheck {
 public:
  CatalogCheck(kv::KvReader& kv, BlobStorage& objects, const CatalogCheckOptions& options, const Pace& pace)
      : kv_(kv), objects_(objects), options_(options), pace_(pace) {}

  absl::StatusOr<v1::InvariantReport> Run() && {
    ASSIGN_OR_RETURN(std::vector<std::string> violations, FindViolations());
    for (std::string& violation : violations) report_.add_violations(std::move(violation));
    RETURN_IF_ERROR(WalkBlobs());
    RETURN_IF_ERROR(CountManifests());
    RETURN_IF_ERROR(CountAbsent());
    return std::move(report_);
  }

 private:
  absl::StatusOr<std::vector<std::string>> FindViolations() {
    ASSIGN_OR_RETURN(std::vector<std::string> violations, FindOnce());
    if (!options_.online || violations.empty()) return violations;
    ASSIGN_OR_RETURN(const std::vector<std::string> again, FindOnce());
    const absl::flat_hash_set<std::string> lasting(again.begin(), again.end());
    violations.erase(std::remove_if(violations.begin(), violations.end(),
                                    [&](const std::string& line) { return !lasting.contains(line); }),
                     violations.end());
    return violations;
  }

  absl::StatusOr<std::vector<std::string>> FindOnce() {
    InvariantOptions options;
    options.violations_max = kViolationsMax;
    options.check_object = [this](const StorageKey& key, uint64_t size_bytes) -> absl::Status {
      if (!failure_.ok()) return absl::OkStatus();
      failure_ = KeepPace(0);
      if (!failure_.ok()) return absl::OkStatus();
      return Attempt([&] { return objects_.Check(key, size_bytes); });
    };
    absl::Status unlisted;
    if (options_.online) {
      options.list_objects = [&](const std::string& start_after, size_t limit) -> absl::StatusOr<StoredObjectPage> {
        RETURN_IF_ERROR(KeepPace(0));
        StoredObjectPage page;
        unlisted = Attempt([&]() -> absl::Status {
          ASSIGN_OR_RETURN(page, objects_.ListUnclaimed(kOld, start_after, limit));
          return absl::OkStatus();
        });
        RETURN_IF_ERROR(failure_);
        return page;
      };
    }
    absl::StatusOr<std::vector<std::string>> violations = CheckInvariants(kv_, options);
    RETURN_IF_ERROR(failure_);
    if (violations.ok() && !unlisted.ok()) {
      violations->push_back(absl::StrCat("I4: not all objects could be listed: ", unlisted.message()));
    }
    return violations;
  }

  // Calls the blob service. An error is about the object; but if the service itself fails, that is `failure_`, and the
  // result is OK.
  template <typename Call>
  absl::Status Attempt(const Call& call) {
    absl::Status status;
    // The second time, because the service may have failed only for a moment.
    for (int i = 0; i < 2; ++i) {
      status = call();
      if (status.ok() || absl::IsNotFound(status) || absl::IsDataLoss(status)) return status;
      if (absl::IsCancelled(status) || !objects_.ReadOwner().ok()) {
        failure_ = std::move(status);
        return absl::OkStatus();
      }
    }
    return status;
  }

  absl::Status WalkBlobs() {
    RecordCursor cursor(&kv_, keys::Blobs(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      report_.set_blobs(report_.blobs() + 1);
      const bool full = static_cast<size_t>(report_.violations_size()) >= kViolationsMax;
      if (options_.rehash && !full) RETURN_IF_ERROR(Rehash(*entry));
    }
  }

  absl::Status Rehash(const kv::KeyValue& entry) {
    const std::optional<Blob> blob = LiveBlobOf(entry);
    if (!blob.has_value()) return absl::OkStatus();
    const absl::Status status = Attempt([&] { return objects_.Verify(*blob, /*bytes_per_second=*/0); });
    RETURN_IF_ERROR(failure_);
    if (status.ok()) {
      report_.set_rehashed_bytes(report_.rehashed_bytes() + blob->size_bytes);
    } else {
      RETURN_IF_ERROR(NoteDamage(entry, *blob, status));
    }
    return KeepPace(blob->size_bytes);
  }

  // nullopt if the blob is not LIVE, or if the record cannot be read, which is a violation of its own.
  static std::optional<Blob> LiveBlobOf(const kv::KeyValue& entry) {
    const absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
    const absl::StatusOr<BlobRecord> record = kv::ParseRecord<BlobRecord>(entry.key, entry.value);
    if (!key.ok() || !record.ok() || record->state() != BlobRecord::LIVE) return std::nullopt;
    absl::StatusOr<Blob> blob = ToBlob(*key->digest, *record);
    return blob.ok() ? std::optional<Blob>(*std::move(blob)) : std::nullopt;
  }

  absl::Status NoteDamage(const kv::KeyValue& entry, const Blob& blob, const absl::Status& status) {
    if (options_.online) {
      // The blob may have been deleted or marked CORRUPT meanwhile.
      ASSIGN_OR_RETURN(const std::optional<std::string> now, kv_.Get(entry.key));
      const std::optional<Blob> still = now.has_value() ? LiveBlobOf({entry.key, *now}) : std::nullopt;
      if (!still.has_value() || !(still->storage_key == blob.storage_key)) return absl::OkStatus();
    }
    // An object that is missing, short or cannot be opened has been reported already.
    const std::string name = absl::StrCat("I1: ", blob.digest.ToString(), " at ");
    const bool known = absl::c_any_of(report_.violations(),
                                      [&](const std::string& line) { return line.compare(0, name.size(), name) == 0; });
    if (!known) report_.add_violations(absl::StrCat(name, blob.storage_key.ToString(), ": ", status.message()));
    return absl::OkStatus();
  }

  absl::Status CountManifests() {
    RecordCursor cursor(&kv_, keys::Manifests(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      report_.set_manifests(report_.manifests() + 1);
    }
  }

  absl::Status CountAbsent() {
    RecordCursor cursor(&kv_, keys::References(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
      const absl::StatusOr<ReferenceRecord> record = kv::ParseRecord<ReferenceRecord>(entry->key, entry->value);
      // A record that cannot be read is a violation of its own.
      if (!key.ok() || !record.ok() || !(record->absent() || record->to_manifest())) continue;
      RETURN_IF_ERROR(KeepPace(0));
      ASSIGN_OR_RETURN(const std::optional<std::string> manifest,
                       kv_.Get(keys::Manifest(*key->repository, *key->digest)));
      ASSIGN_OR_RETURN(const bool linked, HasLink(kv_, *key->digest, *key->repository));
      if (!manifest.has_value() && !linked) report_.set_absent(report_.absent() + 1);
    }
  }

  absl::Status KeepPace(uint64_t bytes) {
    if (pace_(1, bytes)) return absl::OkStatus();
    return absl::CancelledError("the check was stopped");
  }

  kv::KvReader& kv_;
  BlobStorage& objects_;
  const CatalogCheckOptions& options_;
  const Pace& pace_;
  v1::InvariantReport report_;
  // The first error that ends the check.
  absl::Status failure_;
};

}  // namespace

absl::StatusOr<v1::InvariantReport> CheckCatalog(kv::KvReader& kv, BlobStorage& objects,
                                                 const CatalogCheckOptions& options, const Pace& pace) {
  return CatalogCheck(kv, objects, options, pace).Run();
}

}  // namespace entrepot::manifest
