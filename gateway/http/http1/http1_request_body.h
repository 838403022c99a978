#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_HTTP1_REQUEST_BODY_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_HTTP1_REQUEST_BODY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gateway/http/client_socket.h"
#include "gateway/http/http1/chunk_decoder.h"
#include "gateway/http/http1/read_buffer.h"
#include "gateway/http/http1/request_head.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::http {

// The body of the connection's request under way: what `buffer` holds behind the head, then straight from the socket
// into the reader's memory.
class Http1RequestBody : public RequestBody {
 public:
  // Both must outlive it.
  Http1RequestBody(ClientSocket* socket, ReadBuffer* buffer) : socket_(socket), buffer_(buffer) {}

  // Of the next request, whose head was consumed from the buffer.
  void Begin(const RequestHead& head);

  std::optional<uint64_t> content_length() const override;
  boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) override;

  uint64_t bytes_read() const { return bytes_read_; }

  // Whether the connection can take another request, once Discard() was called: the body was read, or little is left
  // and on its way.
  bool CanReuse();

  // Reads what is left of a body after which the connection is reused. False where the client does not send it soon.
  boost::asio::awaitable<bool> Discard();

  // Some of the body was neither read nor asked for: the client may be sending it still.
  bool unread() const { return !ended_; }

  // After a body of chunks: what was read behind it goes back to the buffer.
  void ReturnSurplus();

 private:
  boost::asio::awaitable<absl::StatusOr<size_t>> Receive(char* data, size_t size);
  boost::asio::awaitable<absl::StatusOr<size_t>> ReadSized(char* data, size_t size);
  boost::asio::awaitable<absl::StatusOr<size_t>> ReadChunked(char* data, size_t size);
  absl::StatusOr<size_t> DecodeBuffered(char* data, size_t size);

  ClientSocket* const socket_;
  ReadBuffer* const buffer_;

  bool chunked_ = false;
  uint64_t content_length_ = 0;
  uint64_t left_ = 0;  // Unless chunked_.
  ChunkDecoder decoder_;
  std::string surplus_;
  bool continue_expected_ = false;
  bool bounded_by_rate_ = false;
  bool ended_ = true;
  uint64_t bytes_read_ = 0;
  absl::Status failure_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_HTTP1_REQUEST_BODY_H_
