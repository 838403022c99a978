#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_CLAIMS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_CLAIMS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/sessions/versioned_records.h"
#include "services/core/time/clock.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// The claims of this process's requests on sessions that several replicas share. A claim keeps other requests away
// while one stages bytes; that no other request's bytes are recorded follows from the record's version
// (versioned_records.h), which each claim changes. A claim ends kLifetime after its last renewal, so the clocks of the
// replicas should differ by a few seconds at most: if they differ by more, a claim may be taken over while its holder
// works, and that request fails. Thread-safe; calls block on the KV.
class UploadClaims {
 public:
  using Record = storage::v1::UploadRecord;

  // A process that is killed or frozen keeps its sessions from others for this long.
  static constexpr absl::Duration kLifetime = absl::Seconds(10);
  // A claim that has not been renewed for this long probably has no living holder.
  static constexpr absl::Duration kOverdueAfter = absl::Seconds(7);

  // `holder` identifies this run of the service. The pointers outlive this.
  UploadClaims(VersionedRecords* records, const Clock* clock, std::string holder)
      : records_(*records), clock_(*clock), holder_(std::move(holder)) {}

  // The claim of one request. It is renewed as long as it exists; the KV keeps it until Release(), or until it ends.
  // Must not outlive the claims. Not thread-safe.
  class Held {
   public:
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    // The version of the record as long as this claim lasts.
    const std::string& version() const { return version_; }
    // To be called before bytes are staged. Does nothing as long as the claim lasts. If it was not renewed in time,
    // for example because the process was frozen, renews it: kOutOfRange (RANGE_INVALID) or kNotFound
    // (BLOB_UPLOAD_UNKNOWN) if another request has the session, or it has ended.
    absl::Status Confirm();
    // Puts the claim, renewed, into a record to be written.
    void Stamp(Record& record);
    // Gives the session back without another change; if that fails, it is free when the claim ends.
    void Release();

   private:
    friend class UploadClaims;
    Held(UploadClaims* claims, UploadId id, std::string version, bool seals)
        : claims_(*claims), id_(std::move(id)), version_(std::move(version)), seals_(seals) {}

    UploadClaims& claims_;
    const UploadId id_;
    const std::string version_;
    const bool seals_;
  };

  struct Taken {
    // With the claim.
    Record record;
    std::unique_ptr<Held> claim;
  };
  // Claims the session in one transaction, unless `check`, which may also change the record, gives an error. `seals`:
  // the request brings the last bytes or seals the session. Errors of CheckFree().
  absl::StatusOr<Taken> Take(const UploadId& id, bool seals, const std::function<absl::Status(Record&)>& check);

  // OK if no claim on the session lasts. kOutOfRange (RANGE_INVALID) if another request appends to it; kUnavailable if
  // another request completes it, or if the holder seems to have ended.
  absl::Status CheckFree(const Record& record) const;
  bool IsHeld(const Record& record) const;

  // Renews the claims of all requests of this process, each in a transaction, unless a save has renewed them.
  void Renew();

 private:
  struct Entry {
    UploadId id;
    absl::Time expires_at;
  };

  void PutClaim(bool seals, absl::Time expires_at, Record& record) const;
  void Note(const std::string& version, absl::Time expires_at);
  absl::Status RenewOne(const UploadId& id, const std::string& version);

  VersionedRecords& records_;
  const Clock& clock_;
  const std::string holder_;
  absl::Mutex mutex_;
  // By version.
  std::map<std::string, Entry> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_CLAIMS_H_
