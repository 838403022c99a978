#include "services/blob/objects/shared_hash.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kPieceBytes = 256 << 10;
// What a reader that is behind hashes for the others at each read.
constexpr int kPiecesAhead = 16;

}  // namespace

absl::Status WrongDigest(const Digest& digest) {
  return absl::DataLossError(absl::StrCat("the object's bytes do not have the digest ", digest.ToString()));
}

SharedHash::SharedHash(const Digest& digest, uint64_t size_bytes, OnVerdict on_verdict)
    : digest_(digest), size_bytes_(size_bytes), on_verdict_(std::move(on_verdict)), digester_(digest.algorithm()) {}

absl::Status SharedHash::Add(absl::string_view bytes, uint64_t offset_bytes, const ReadAt& read) {
  const uint64_t end = offset_bytes + bytes.size();
  int ahead = kPiecesAhead;
  for (;;) {
    // For one piece at a time, so that no reader waits for more.
    absl::MutexLock lock(&mutex_);
    const uint64_t hashed = digester_.length_bytes();
    if (hashed == offset_bytes) {
      Update(bytes);
      ahead = 0;
    } else if (hashed < end) {
      RETURN_IF_ERROR(HashNext(read));
      ahead = 0;
    } else if (ahead > 0 && hashed < size_bytes_) {
      // What cannot be read there is the error of the reader that gets there.
      ahead = HashNext(read).ok() ? ahead - 1 : 0;
    } else {
      return Verdict();
    }
  }
}

absl::Status SharedHash::HashNext(const ReadAt& read) {
  if (piece_ == nullptr) piece_.reset(new char[kPieceBytes]);
  const uint64_t hashed = digester_.length_bytes();
  const auto size = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, size_bytes_ - hashed));
  RETURN_IF_ERROR(read(piece_.get(), size, hashed));
  Update({piece_.get(), size});
  return absl::OkStatus();
}

void SharedHash::Update(absl::string_view bytes) {
  digester_.Update(bytes);
  if (digester_.length_bytes() < size_bytes_) return;
  wrong_ = digester_.Current() != digest_;
  on_verdict_(!wrong_);
}

absl::Status SharedHash::Verdict() const { return wrong_ ? WrongDigest(digest_) : absl::OkStatus(); }

}  // namespace entrepot::blob
