#include "gateway/http/http1/read_buffer.h"

#include <algorithm>
#include <cstring>

namespace entrepot::gateway::http {

absl::Span<char> ReadBuffer::Space() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_) {
    const bool has_room_in_front = begin_ > 0 && begin_ >= capacity_ / 2;
    MoveTo(has_room_in_front ? capacity_ : std::max(kIdleBytes, capacity_ * 2));
  }
  return {data_.get() + end_, capacity_ - end_};
}

void ReadBuffer::Assign(absl::string_view bytes) {
  begin_ = end_ = 0;
  if (bytes.size() > capacity_) MoveTo(bytes.size());
  if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
  end_ = bytes.size();
}

void ReadBuffer::Shrink() {
  if (capacity_ > kIdleBytes && end_ - begin_ <= kIdleBytes) MoveTo(kIdleBytes);
}

void ReadBuffer::MoveTo(size_t capacity) {
  const size_t size = end_ - begin_;
  if (capacity == capacity_) {
    std::memmove(data_.get(), data_.get() + begin_, size);
  } else {
    std::unique_ptr<char[]> data(new char[capacity]);  // Not cleared, unlike make_unique's.
    if (size > 0) std::memcpy(data.get(), data_.get() + begin_, size);
    data_ = std::move(data);
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = size;
}

}  // namespace entrepot::gateway::http
