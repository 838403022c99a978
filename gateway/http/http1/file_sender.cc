#include "gateway/http/http1/file_sender.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "boost/asio/post.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/runtime/threads/executor_awaitable.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// The size of one sendfile call, and of one check of the page cache.
constexpr uint64_t kPieceBytes = 1 << 20;
// How far the disk is told to read ahead after a piece was not in the page cache.
constexpr uint64_t kReadAheadBytes = 8 << 20;
// A client that never blocks gets this much before the other connections of its io_context have a turn.
constexpr uint64_t kTurnBytes = 4 << 20;
constexpr size_t kTlsPieceBytes = 256 << 10;

// pread from the page cache; -1 with EAGAIN if the bytes are not in it.
ssize_t ReadCached(int fd, char* data, size_t size, uint64_t offset) {
  iovec part{data, size};
  return ::preadv2(fd, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
}

// Whether the first and the last byte of the range are in the page cache. False if the file system cannot tell.
bool IsCached(int fd, uint64_t offset, uint64_t size) {
  char byte = 0;
  return ReadCached(fd, &byte, 1, offset) == 1 && ReadCached(fd, &byte, 1, offset + size - 1) == 1;
}

absl::Status FileError(ssize_t result) {
  return result == 0 ? absl::DataLossError("the file is shorter than the response")
                     : absl::DataLossError(absl::StrCat("cannot read the file: ", std::strerror(errno)));
}

// The result of a non-blocking sendfile, and its errno.
struct Sent {
  ssize_t result = 0;
  int error = 0;
};

Sent SendPiece(int socket, int file, uint64_t offset, uint64_t size) {
  auto position = static_cast<off_t>(offset);
  const ssize_t result = ::sendfile(socket, file, &position, size);
  return {result, result < 0 ? errno : 0};
}

asio::awaitable<absl::Status> SendPlain(const FileBody& body, ClientSocket& socket, runtime::Executor& executor) {
  const int file = body.file.get();
  const uint64_t end = body.offset_bytes + body.length_bytes;
  uint64_t piece_end = body.offset_bytes;
  uint64_t turn_end = body.offset_bytes + kTurnBytes;
  bool cached = false;
  for (uint64_t offset = body.offset_bytes; offset < end;) {
    if (offset == piece_end || !cached) {
      piece_end = std::min(offset + kPieceBytes, end);
      cached = IsCached(file, offset, piece_end - offset);
    }
    const uint64_t size = piece_end - offset;
    Sent sent;
    if (cached) {
      sent = SendPiece(socket.native_handle(), file, offset, size);
    } else {
      ::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(std::min(kReadAheadBytes, end - offset)),
                      POSIX_FADV_WILLNEED);
      const int fd = socket.native_handle();
      sent = co_await runtime::RunOn(executor, [=] { return SendPiece(fd, file, offset, size); });
    }
    if (sent.result > 0) {
      offset += static_cast<uint64_t>(sent.result);
      socket.CountSent(static_cast<size_t>(sent.result));
      if (offset >= turn_end) {
        turn_end = offset + kTurnBytes;
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      }
    } else if (sent.error == EAGAIN) {
      CO_RETURN_IF_ERROR(co_await socket.WaitForRoom());
    } else if (sent.error == EPIPE || sent.error == ECONNRESET) {
      co_return absl::UnavailableError("the client disconnected");
    } else if (sent.error != EINTR) {
      errno = sent.error;
      co_return FileError(sent.result);
    }
  }
  co_return absl::OkStatus();
}

// pread, on the executor unless the bytes are in the page cache.
asio::awaitable<absl::StatusOr<size_t>> ReadPiece(int file, char* data, size_t size, uint64_t offset,
                                                  runtime::Executor& executor) {
  ssize_t read = ReadCached(file, data, size, offset);
  if (read <= 0) {
    ::posix_fadvise(file, static_cast<off_t>(offset), kReadAheadBytes, POSIX_FADV_WILLNEED);
    const Sent result = co_await runtime::RunOn(executor, [=] {
      const ssize_t n = ::pread(file, data, size, static_cast<off_t>(offset));
      return Sent{n, n < 0 ? errno : 0};
    });
    read = result.result;
    errno = result.error;
  }
  if (read <= 0) co_return FileError(read);
  co_return static_cast<size_t>(read);
}

asio::awaitable<absl::Status> SendTls(const Request& request, const FileBody& body, ClientSocket& socket,
                                      runtime::Executor& executor) {
  size_t capacity = std::min(uint64_t{kTlsPieceBytes}, body.length_bytes);
  MemoryBudget::Reservation memory = request.ReserveMemory();
  if (!memory.TryGrowTo(capacity)) capacity = MemoryBudget::kUncountedBytes;
  const std::unique_ptr<char[]> data(new char[capacity]);
  const uint64_t end = body.offset_bytes + body.length_bytes;
  for (uint64_t offset = body.offset_bytes; offset < end;) {
    const size_t size = std::min(uint64_t{capacity}, end - offset);
    CO_ASSIGN_OR_RETURN(const size_t read, co_await ReadPiece(body.file.get(), data.get(), size, offset, executor));
    CO_RETURN_IF_ERROR(co_await socket.Write({data.get(), read}));
    offset += read;
  }
  co_return absl::OkStatus();
}

}  // namespace

asio::awaitable<absl::Status> SendFile(const Request& request, const FileBody& body, ClientSocket& socket,
                                       runtime::Executor& executor) {
  return socket.is_tls() ? SendTls(request, body, socket, executor) : SendPlain(body, socket, executor);
}

}  // namespace entrepot::gateway::http
