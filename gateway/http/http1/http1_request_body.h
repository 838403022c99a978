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

// The body of the request under way on a connection: first the bytes in `buffer` after the head, then bytes read from
// the socket straight into the reader's memory.
class Http1RequestBody : public RequestBody {
 public:
  // Both must outlive it.
  Http1RequestBody(ClientSocket* socket, ReadBuffer* buffer) : socket_(socket), buffer_(buffer) {}

  // Begins the body of the next request, whose head was consumed from the buffer.
  void Begin(const RequestHead& head);

  std::optional<uint64_t> content_length() const override;
  boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) override;

  uint64_t bytes_read() const { return bytes_read_; }

  // Whether the connection can be used for another request after Discard(): the body was read, or little of it is left
  // and the client is sending it.
  bool CanReuse();

  // Reads the rest of a body before the connection is reused. False if the client does not send it soon.
  boost::asio::awaitable<bool> Discard();

  // Part of the body was not read: the client may still be sending it.
  bool unread() const { return !ended_; }

  // Returns the bytes that were read beyond the end of a chunked body to the buffer.
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
