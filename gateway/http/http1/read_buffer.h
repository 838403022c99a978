#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_READ_BUFFER_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_READ_BUFFER_H_

#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace entrepot::gateway::http {

// Bytes that were received from a connection and not used yet. Small while the connection is idle, larger while a long
// head needs it.
class ReadBuffer {
 public:
  static constexpr size_t kIdleBytes = 4096;

  absl::string_view unread() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  // Views into unread() stay valid until Space(), Assign() or Shrink().
  void Consume(size_t size) { begin_ += size; }

  // Free space after the unread bytes, at least one byte. Fill() adds the first `size` bytes of it to the unread bytes.
  absl::Span<char> Space();
  void Fill(size_t size) { end_ += size; }

  // Replaces the unread bytes.
  void Assign(absl::string_view bytes);

  // Frees the memory that an idle connection does not need.
  void Shrink();

 private:
  void MoveTo(size_t capacity);

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_READ_BUFFER_H_
