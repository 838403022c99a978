#include "gateway/api/content/multipart_ranges.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

// RFC 2046 allows 70 characters; a digest of SHA-512 has 128.
constexpr size_t kBoundaryBytes = 64;

absl::string_view Boundary(const Digest& digest) { return digest.hex().substr(0, kBoundaryBytes); }

// What precedes the bytes of a range. A line break ends the part before; the first part has none before it.
std::string Head(const std::vector<ByteRange>& ranges, size_t index, const Blob& blob) {
  return absl::StrCat(index == 0 ? "" : "\r\n", "--", Boundary(blob.digest),
                      "\r\nContent-Type: application/octet-stream\r\nContent-Range: ",
                      ContentRange(ranges[index], blob.size_bytes), "\r\n\r\n");
}

std::string End(const Digest& digest) { return absl::StrCat("\r\n--", Boundary(digest), "--\r\n"); }

// Gives the head of a part, its bytes, and so on, and the end.
class MultipartRanges : public PieceSequence {
 public:
  MultipartRanges(const BlobReader& reader, const CallContext& call, const RepositoryName& repository, const Blob& blob,
                  std::vector<ByteRange> ranges, size_t memory_bytes, BodyPiece first)
      : reader_(reader),
        call_(call),
        repository_(repository),
        blob_(blob),
        ranges_(std::move(ranges)),
        memory_bytes_(memory_bytes),
        first_(std::move(first)) {}

  awaitable<absl::StatusOr<std::optional<BodyPiece>>> Next() override {
    if (next_ == ranges_.size()) {
      if (std::exchange(ended_, true)) co_return std::nullopt;
      co_return End(blob_.digest);
    }
    if (std::exchange(head_given_, !head_given_)) {
      const ByteRange& range = ranges_[next_++];
      if (first_.has_value()) co_return *std::exchange(first_, std::nullopt);
      CO_ASSIGN_OR_RETURN(ObjectContent content, co_await reader_.Read(call_, repository_, blob_, range, memory_bytes_,
                                                                       /*may_redirect=*/false));
      co_return std::move(content.bytes);
    }
    co_return Head(ranges_, next_, blob_);
  }

 private:
  const BlobReader reader_;
  const CallContext call_;
  const RepositoryName repository_;
  const Blob blob_;
  const std::vector<ByteRange> ranges_;
  const size_t memory_bytes_;
  std::optional<BodyPiece> first_;  // The bytes of the first range, until they are given.

  size_t next_ = 0;  // The range whose head or bytes come next.
  bool head_given_ = false;
  bool ended_ = false;
};

uint64_t LengthOf(const std::vector<ByteRange>& ranges, const Blob& blob) {
  uint64_t length_bytes = End(blob.digest).size();
  for (size_t i = 0; i < ranges.size(); ++i) length_bytes += Head(ranges, i, blob).size() + ranges[i].length_bytes;
  return length_bytes;
}

}  // namespace

std::string ContentRange(const ByteRange& range, uint64_t size_bytes) {
  return absl::StrCat("bytes ", range.offset_bytes, "-", range.offset_bytes + range.length_bytes - 1, "/", size_bytes);
}

std::string MultipartRangesType(const Digest& digest) {
  return absl::StrCat("multipart/byteranges; boundary=", Boundary(digest));
}

awaitable<absl::StatusOr<SequenceBody>> ReadRanges(const BlobReader& reader, const CallContext& call,
                                                   const RepositoryName& repository, const Blob& blob,
                                                   std::vector<ByteRange> ranges, size_t memory_bytes) {
  CO_ASSIGN_OR_RETURN(ObjectContent first, co_await reader.Read(call, repository, blob, ranges.front(), memory_bytes,
                                                                /*may_redirect=*/false));
  SequenceBody body;
  body.length_bytes = LengthOf(ranges, blob);
  body.pieces = std::make_unique<MultipartRanges>(reader, call, repository, blob, std::move(ranges), memory_bytes,
                                                  std::move(first.bytes));
  co_return body;
}

}  // namespace entrepot::gateway::api
