#ifndef ENTREPOT_GATEWAY_BODY_BODY_H_
#define ENTREPOT_GATEWAY_BODY_BODY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "services/core/files/owned_fd.h"

// The body of a response. A backend makes it and the HTTP server sends it; nothing in between converts it.
namespace entrepot::gateway {

// Bytes that are produced while they are read. Used by one coroutine at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // The next bytes, which stay valid until the next call; none at the end. After an error the body is incomplete: the
  // server cuts the connection, so that the client sees a short body, never a wrong one. kDataLoss: the stream ended
  // before its length, or the object is corrupt.
  virtual boost::asio::awaitable<absl::StatusOr<absl::string_view>> Next() = 0;
};

// A range of an open file. Without TLS, the server sends it with sendfile.
struct FileBody {
  OwnedFd file;
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;
};

struct StreamBody {
  std::unique_ptr<ByteStream> stream;
  uint64_t length_bytes = 0;
};

// What a backend reads, and one piece of a SequenceBody.
using BodyPiece = std::variant<std::string, FileBody, StreamBody>;

// Pieces that are opened one after another, so that a body with many of them has one file open at a time. Used by one
// coroutine at a time.
class PieceSequence {
 public:
  virtual ~PieceSequence() = default;
  // The next piece, or nullopt after the last one. After an error the body is incomplete, as with ByteStream.
  virtual boost::asio::awaitable<absl::StatusOr<std::optional<BodyPiece>>> Next() = 0;
};

struct SequenceBody {
  std::unique_ptr<PieceSequence> pieces;
  // The sum of all pieces.
  uint64_t length_bytes = 0;
};

// Bytes that several responses may send at once, kept until the last of them is sent.
using SharedBytes = std::shared_ptr<const std::string>;

using Body = std::variant<std::string, FileBody, StreamBody, SequenceBody, SharedBytes>;

inline Body ToBody(BodyPiece piece) {
  return std::visit([](auto& held) { return Body(std::move(held)); }, piece);
}

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BODY_BODY_H_
