#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_STAGED_UPLOAD_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_STAGED_UPLOAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/s3/s3_bucket.h"
#include "services/blob/s3/upload_memory.h"
#include "services/core/upload_id.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob::s3 {

// What uploads have of their store. All of it outlives them.
struct S3Staging {
  S3Bucket* bucket = nullptr;
  // Sends parts while more bytes come in.
  runtime::Executor* executor = nullptr;
  UploadMemory* memory = nullptr;
  uint64_t part_bytes = 0;
  // The key of an upload's object, and the beginning of the keys of its tails.
  std::function<std::string(const UploadId&)> object_key;
  std::function<std::string(const UploadId&)> tail_prefix;
  // Deletes an object some time later, when no process can need it any more.
  std::function<void(std::string key)> delete_later;
};

// An upload as one multipart upload of the final key, which begins when the first part is full: nothing is copied when
// the upload becomes an object. Parts cannot be read before that, so Save() writes the bytes behind the last part, the
// tail, as an object of a new name, and also sends it as the last part: if no bytes follow, the upload is completed
// without reading the tail again. An upload that is smaller than a part becomes an object with one PutObject.
//
// A process whose claim of the session was taken over may still send parts, which replace those of the same number. A
// full part has the number that its offset gives, so both processes send the same bytes under it, if the client repeats
// the same. Their tails differ: the tail has a number of its own, and a tail that was replaced is sent again.
//
// Memory: the part that is filled, and the one that is sent; one part in all if it spares memory.
class S3StagedUpload : public StagedUpload {
 public:
  static constexpr size_t kPartsMax = 10'000;
  // Of the tail; full parts have smaller ones.
  static constexpr size_t kTailNumber = kPartsMax;

  S3StagedUpload(UploadId id, const S3Staging* staging);
  // kNotFound (BLOB_UPLOAD_UNKNOWN) if the state is not that of an upload with that size.
  static absl::StatusOr<std::unique_ptr<S3StagedUpload>> Continue(UploadId id, uint64_t size_bytes,
                                                                  absl::string_view state, const S3Staging* staging);
  // The upload's object exists, with that size.
  static std::unique_ptr<S3StagedUpload> Published(UploadId id, uint64_t size_bytes, const S3Staging* staging);
  ~S3StagedUpload() override;

  void SetOwner(const std::string& owner, bool spares_memory) override {
    memory_.SetOwner(owner);
    spares_memory_ = spares_memory;
  }
  uint64_t size_bytes() const override;
  absl::Status Append(absl::string_view bytes) override;
  absl::Status Truncate(uint64_t size_bytes) override;
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::StatusOr<std::string> Save() override;
  void Recorded() override;
  bool SaveIsCheap() const override;
  absl::Status Read(const std::function<void(absl::string_view)>& take) override;

  // Makes the object. May be repeated, also by another process.
  absl::Status Publish();

 private:
  // A part on its way. Shared with the thread that sends it.
  struct Flight;

  uint64_t parts_bytes() const;
  absl::Status CheckUsable() const;
  // Sends the tail, which is a full part, when the part before it has arrived.
  absl::Status SendTail();
  // Waits for the part on its way; sends it again if that failed.
  absl::Status Land();
  // Reads the saved tail into memory, if it is not there.
  absl::Status LoadTail();
  absl::Status ReadTail();
  absl::Status BeginUpload();
  absl::Status Charge();
  // Writes the tail as an object of a new name, and sends it as a part if the upload has parts.
  absl::Status SaveTail();
  std::shared_ptr<Flight> Launch(std::string bytes, size_t number);
  static absl::StatusOr<std::string> Await(Flight& flight);
  absl::Status PublishSmall();
  // `tries`: how often the tail may be sent.
  absl::Status PublishParts(int tries);
  // After an answer that does not tell whether the object was made: OK if it was, with exactly these bytes; kNotFound
  // (BLOB_UPLOAD_UNKNOWN) if there is none; kUnavailable if it is not known.
  absl::Status CheckPublished(const std::string& etag);
  void ForgetTail();

  const UploadId id_;
  const S3Staging& staging_;
  const std::string key_;
  uint64_t part_bytes_;
  std::string upload_id_;
  std::vector<std::string> etags_;
  std::shared_ptr<Flight> flight_;
  // The bytes behind the last part, if they are in memory.
  std::string tail_;
  bool tail_loaded_ = true;
  // What is behind the last part as an object: its key, or empty, and its size.
  std::string saved_tail_;
  uint64_t saved_tail_bytes_ = 0;
  std::string saved_tail_digest_;
  // Whether that object has exactly the bytes of the tail.
  bool tail_is_saved_ = true;
  // The ETag of the saved tail as the part behind the others; empty if it was not sent.
  std::string saved_tail_etag_;
  // Tails of states that the record may still have.
  std::vector<std::string> old_tails_;
  size_t parts_at_save_ = 0;
  bool published_ = false;
  uint64_t published_bytes_ = 0;
  // Set if an Append left the upload with a part of its bytes.
  absl::Status broken_;
  UploadMemory::Reservation memory_;
  bool spares_memory_ = false;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_STAGED_UPLOAD_H_
