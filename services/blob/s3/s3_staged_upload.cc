#include "services/blob/s3/s3_staged_upload.h"

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/unknown_upload.h"
#include "services/core/digester.h"
#include "services/core/text/lower_hex.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

// Saving in the middle of a request costs one object of at most so many bytes for so many parts.
constexpr size_t kCheapTailBytes = 256 << 10;
constexpr size_t kPartsBetweenSaves = 4;
constexpr size_t kReadBytes = 256 << 10;
constexpr int kTailTries = 3;

std::string DigestOf(absl::string_view tail) { return ComputeDigest(DigestAlgorithm::kSha256, tail).ToString(); }

// An MD5 digest takes 16 bytes in the record, not 32.
std::string PackEtag(const std::string& etag) {
  if (etag.size() != 32) return etag;
  const std::string bytes = absl::HexStringToBytes(etag);
  return absl::BytesToHexString(bytes) == etag ? bytes : etag;
}

std::string UnpackEtag(const std::string& packed) {
  return packed.size() == 16 ? absl::BytesToHexString(packed) : packed;
}

}  // namespace

struct S3StagedUpload::Flight {
  std::string bytes;
  absl::Mutex mutex;
  bool landed ABSL_GUARDED_BY(mutex) = false;
  absl::StatusOr<std::string> etag ABSL_GUARDED_BY(mutex);
};

S3StagedUpload::S3StagedUpload(UploadId id, const S3Staging* staging)
    : id_(std::move(id)),
      staging_(*staging),
      key_(staging_.object_key(id_)),
      part_bytes_(staging_.part_bytes),
      memory_(staging_.memory) {}

S3StagedUpload::~S3StagedUpload() = default;

absl::StatusOr<std::unique_ptr<S3StagedUpload>> S3StagedUpload::Continue(UploadId id, uint64_t size_bytes,
                                                                         absl::string_view state,
                                                                         const S3Staging* staging) {
  storage::v1::S3StagingState record;
  if (!record.ParseFromArray(state.data(), static_cast<int>(state.size())) || record.part_bytes() == 0 ||
      record.part_bytes() * record.part_etags_size() + record.tail_bytes() != size_bytes) {
    return UnknownUpload();
  }
  auto upload = std::make_unique<S3StagedUpload>(std::move(id), staging);
  upload->part_bytes_ = record.part_bytes();
  upload->upload_id_ = record.upload_id();
  for (const std::string& etag : record.part_etags()) upload->etags_.push_back(UnpackEtag(etag));
  upload->saved_tail_bytes_ = record.tail_bytes();
  upload->saved_tail_digest_ = record.tail_digest();
  if (record.tail_bytes() > 0) {
    upload->saved_tail_ = absl::StrCat(staging->tail_prefix(upload->id_), record.tail());
    upload->saved_tail_etag_ = UnpackEtag(record.tail_etag());
    upload->tail_loaded_ = false;
  }
  upload->parts_at_save_ = upload->etags_.size();
  return upload;
}

std::unique_ptr<S3StagedUpload> S3StagedUpload::Published(UploadId id, uint64_t size_bytes, const S3Staging* staging) {
  auto upload = std::make_unique<S3StagedUpload>(std::move(id), staging);
  upload->published_ = true;
  upload->published_bytes_ = size_bytes;
  return upload;
}

uint64_t S3StagedUpload::parts_bytes() const { return part_bytes_ * (etags_.size() + (flight_ == nullptr ? 0 : 1)); }

uint64_t S3StagedUpload::size_bytes() const {
  if (published_) return published_bytes_;
  return parts_bytes() + (tail_loaded_ ? tail_.size() : saved_tail_bytes_);
}

absl::Status S3StagedUpload::CheckUsable() const {
  RETURN_IF_ERROR(broken_);
  return published_ ? absl::FailedPreconditionError("the upload is an object already") : absl::OkStatus();
}

absl::Status S3StagedUpload::Charge() {
  return memory_.Set(tail_.size() + (flight_ == nullptr ? 0 : flight_->bytes.size()));
}

absl::Status S3StagedUpload::Append(absl::string_view bytes) {
  RETURN_IF_ERROR(CheckUsable());
  RETURN_IF_ERROR(LoadTail());
  const uint64_t parts_before = parts_bytes();
  const size_t tail_before = tail_.size();
  absl::Status status;
  tail_is_saved_ = tail_is_saved_ && bytes.empty();
  while (status.ok() && !bytes.empty()) {
    if (tail_.size() == part_bytes_) {
      status = SendTail();
      if (!status.ok()) break;
    }
    const size_t count = std::min<uint64_t>(bytes.size(), part_bytes_ - tail_.size());
    tail_.append(bytes.data(), count);
    bytes.remove_prefix(count);
    status = Charge();
  }
  if (status.ok()) return status;
  if (parts_bytes() == parts_before) {
    tail_.resize(tail_before);
  } else if (parts_bytes() == parts_before + part_bytes_ && flight_ != nullptr) {
    // The part with the first of the new bytes is still in memory, and nothing reads it any more once it has landed.
    Await(*flight_).status().IgnoreError();
    tail_ = std::move(flight_->bytes);
    tail_.resize(tail_before);
    flight_.reset();
  } else {
    broken_ = status;
  }
  Charge().IgnoreError();
  return status;
}

absl::Status S3StagedUpload::SendTail() {
  RETURN_IF_ERROR(Land());
  if (etags_.size() + 1 >= kTailNumber) {
    return OciError(OciErrorCode::kSizeInvalid, absl::StrCat("a blob in S3 has at most ", kPartsMax, " parts of ",
                                                             part_bytes_, " bytes: objects.s3.part_bytes"));
  }
  RETURN_IF_ERROR(BeginUpload());
  flight_ = Launch(std::move(tail_), etags_.size() + 1);
  tail_.clear();
  // Without a second part in memory if there is little.
  return spares_memory_ || memory_.is_scarce() ? Land() : absl::OkStatus();
}

std::shared_ptr<S3StagedUpload::Flight> S3StagedUpload::Launch(std::string bytes, size_t number) {
  auto flight = std::make_shared<Flight>();
  flight->bytes = std::move(bytes);
  staging_.executor->Post([flight, bucket = staging_.bucket, key = key_, upload_id = upload_id_, number] {
    absl::StatusOr<std::string> etag = bucket->UploadPart(key, upload_id, number, flight->bytes);
    absl::MutexLock lock(&flight->mutex);
    flight->etag = std::move(etag);
    flight->landed = true;
  });
  return flight;
}

absl::StatusOr<std::string> S3StagedUpload::Await(Flight& flight) {
  absl::MutexLock lock(&flight.mutex);
  flight.mutex.Await(absl::Condition(&flight.landed));
  return flight.etag;
}

absl::Status S3StagedUpload::Land() {
  if (flight_ == nullptr) return absl::OkStatus();
  absl::StatusOr<std::string> etag = Await(*flight_);
  if (!etag.ok()) {
    etag = staging_.bucket->UploadPart(key_, upload_id_, etags_.size() + 1, flight_->bytes);
  }
  RETURN_IF_ERROR(etag.status());
  etags_.push_back(*std::move(etag));
  flight_.reset();
  return Charge();
}

absl::Status S3StagedUpload::LoadTail() {
  if (tail_loaded_) return absl::OkStatus();
  // Before the bytes are here: many uploads may go on at once.
  RETURN_IF_ERROR(memory_.Set(saved_tail_bytes_));
  absl::Status status = ReadTail();
  if (!status.ok()) Charge().IgnoreError();
  return status;
}

absl::Status S3StagedUpload::ReadTail() {
  absl::StatusOr<std::string> tail = staging_.bucket->Get(saved_tail_, saved_tail_bytes_);
  if (absl::IsNotFound(tail.status()) || absl::IsDataLoss(tail.status())) return UnknownUpload();
  RETURN_IF_ERROR(tail.status());
  if (tail->size() != saved_tail_bytes_ || DigestOf(*tail) != saved_tail_digest_) return UnknownUpload();
  tail_ = *std::move(tail);
  tail_loaded_ = true;
  return absl::OkStatus();
}

absl::Status S3StagedUpload::BeginUpload() {
  if (!upload_id_.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(upload_id_, staging_.bucket->CreateUpload(key_));
  return absl::OkStatus();
}

absl::Status S3StagedUpload::Truncate(uint64_t size_bytes) {
  RETURN_IF_ERROR(CheckUsable());
  if (size_bytes == this->size_bytes()) return absl::OkStatus();
  if (size_bytes == 0) {
    // The parts that were sent stay until the upload ends; those of the same numbers replace them.
    Land().IgnoreError();
    flight_.reset();
    etags_.clear();
    tail_.clear();
    tail_loaded_ = true;
    ForgetTail();
    return Charge();
  }
  if (size_bytes < parts_bytes()) {
    return OciError(OciErrorCode::kUnavailable, "parts that S3 has cannot be cut");
  }
  RETURN_IF_ERROR(LoadTail());
  tail_.resize(size_bytes - parts_bytes());
  tail_is_saved_ = false;
  return Charge();
}

void S3StagedUpload::ForgetTail() {
  if (!saved_tail_.empty()) old_tails_.push_back(std::move(saved_tail_));
  saved_tail_.clear();
  saved_tail_bytes_ = 0;
  saved_tail_digest_.clear();
  saved_tail_etag_.clear();
  tail_is_saved_ = tail_.empty();
}

absl::Status S3StagedUpload::SaveTail() {
  ForgetTail();
  if (!tail_.empty()) {
    std::shared_ptr<Flight> part;
    if (!etags_.empty()) part = Launch(tail_, kTailNumber);
    const std::string key = absl::StrCat(staging_.tail_prefix(id_), RandomLowerHex(8));
    absl::Status status = staging_.bucket->Put(key, tail_, /*if_absent=*/false).status();
    if (part != nullptr) {
      absl::StatusOr<std::string> etag = Await(*part);
      status.Update(etag.status());
      if (status.ok()) saved_tail_etag_ = *std::move(etag);
    }
    RETURN_IF_ERROR(status);
    saved_tail_ = key;
    saved_tail_bytes_ = tail_.size();
    saved_tail_digest_ = DigestOf(tail_);
  }
  tail_is_saved_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::string> S3StagedUpload::Save() {
  RETURN_IF_ERROR(CheckUsable());
  RETURN_IF_ERROR(Land());
  if (!tail_is_saved_) RETURN_IF_ERROR(SaveTail());
  parts_at_save_ = etags_.size();
  if (!saved_tail_.empty() && memory_.is_scarce()) {
    tail_.clear();
    tail_.shrink_to_fit();
    tail_loaded_ = false;
    RETURN_IF_ERROR(Charge());
  }
  storage::v1::S3StagingState state;
  state.set_upload_id(upload_id_);
  state.set_part_bytes(part_bytes_);
  for (const std::string& etag : etags_) state.add_part_etags(PackEtag(etag));
  if (!saved_tail_.empty()) state.set_tail(saved_tail_.substr(staging_.tail_prefix(id_).size()));
  state.set_tail_bytes(saved_tail_bytes_);
  state.set_tail_digest(saved_tail_digest_);
  state.set_tail_etag(PackEtag(saved_tail_etag_));
  return state.SerializeAsString();
}

void S3StagedUpload::Recorded() {
  for (std::string& key : old_tails_) staging_.delete_later(std::move(key));
  old_tails_.clear();
}

bool S3StagedUpload::SaveIsCheap() const {
  return !published_ && tail_loaded_ && tail_.size() <= kCheapTailBytes &&
         etags_.size() >= parts_at_save_ + kPartsBetweenSaves;
}

absl::Status S3StagedUpload::Read(const std::function<void(absl::string_view)>& take) {
  if (!published_ && etags_.empty() && flight_ == nullptr) {
    RETURN_IF_ERROR(LoadTail());
    take(tail_);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Publish());
  ASSIGN_OR_RETURN(const S3Head head, staging_.bucket->Head(key_));
  if (head.size_bytes != published_bytes_) return absl::DataLossError("the upload's object has another size");
  if (head.size_bytes == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<WireResponse> body,
                   staging_.bucket->GetRange(key_, head, 0, head.size_bytes, Pace::kOurs));
  const auto buffer = std::make_unique<char[]>(kReadBytes);
  uint64_t done = 0;
  while (done < head.size_bytes) {
    ASSIGN_OR_RETURN(const size_t count, body->Read(buffer.get(), kReadBytes));
    if (count == 0) return OciError(OciErrorCode::kUnavailable, "the S3 server cut an object");
    take(absl::string_view(buffer.get(), count));
    done += count;
  }
  return absl::OkStatus();
}

absl::Status S3StagedUpload::Publish() {
  if (published_) return absl::OkStatus();
  RETURN_IF_ERROR(CheckUsable());
  RETURN_IF_ERROR(Land());
  const uint64_t size = size_bytes();
  RETURN_IF_ERROR(etags_.empty() ? PublishSmall() : PublishParts(kTailTries));
  published_ = true;
  published_bytes_ = size;
  tail_.clear();
  ForgetTail();
  Recorded();
  return Charge();
}

absl::Status S3StagedUpload::PublishSmall() {
  RETURN_IF_ERROR(LoadTail());
  ASSIGN_OR_RETURN(const bool written, staging_.bucket->Put(key_, tail_, /*if_absent=*/true));
  if (!written) {
    absl::StatusOr<std::string> found = staging_.bucket->Get(key_, part_bytes_);
    if (absl::IsDataLoss(found.status())) return UnknownUpload();
    RETURN_IF_ERROR(found.status());
    if (*found != tail_) return UnknownUpload();
  }
  if (!upload_id_.empty()) staging_.bucket->Abort(key_, upload_id_).IgnoreError();
  return absl::OkStatus();
}

absl::Status S3StagedUpload::PublishParts(int tries) {
  std::vector<S3Part> parts;
  for (const std::string& etag : etags_) parts.push_back({parts.size() + 1, etag});
  const bool tail_is_sent = tail_is_saved_ && !saved_tail_etag_.empty();
  if (tail_is_sent) {
    parts.push_back({kTailNumber, saved_tail_etag_});
  } else {
    RETURN_IF_ERROR(LoadTail());
    if (!tail_.empty()) {
      --tries;
      absl::StatusOr<std::string> etag = staging_.bucket->UploadPart(key_, upload_id_, kTailNumber, tail_);
      if (absl::IsNotFound(etag.status())) {
        // An earlier Publish may have made the object, of these parts and of this tail.
        parts.push_back({kTailNumber, Md5Hex(tail_)});
        return CheckPublished(EtagOfParts(parts));
      }
      RETURN_IF_ERROR(etag.status());
      parts.push_back({kTailNumber, *std::move(etag)});
    }
  }
  const absl::StatusOr<CompleteResult> result = staging_.bucket->Complete(key_, upload_id_, parts);
  if (result.ok() && *result == CompleteResult::kCompleted) return absl::OkStatus();
  const bool has_tail = parts.back().number == kTailNumber;
  if (result.ok() && *result == CompleteResult::kInvalidPart && has_tail && tries > 0) {
    // A tail that was never recorded has replaced it. The bytes are still in memory, or in the tail's own object.
    saved_tail_etag_.clear();
    return PublishParts(tries);
  }
  absl::Status found = CheckPublished(EtagOfParts(parts));
  // If it is not there, the upload may still be complete later: only the server's word ends it.
  if (absl::IsNotFound(found) && !result.ok()) return result.status();
  return found;
}

absl::Status S3StagedUpload::CheckPublished(const std::string& etag) {
  const absl::StatusOr<S3Head> head = staging_.bucket->Head(key_);
  if (absl::IsNotFound(head.status())) return UnknownUpload();
  RETURN_IF_ERROR(head.status());
  return !etag.empty() && head->size_bytes == size_bytes() && head->etag == etag ? absl::OkStatus() : UnknownUpload();
}

}  // namespace entrepot::blob::s3
