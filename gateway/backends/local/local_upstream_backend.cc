#include "gateway/backends/local/local_upstream_backend.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "boost/asio/async_result.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/runtime/threads/executor_awaitable.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/upstream/upstream_calls.h"

namespace entrepot::gateway {
namespace {

using boost::asio::awaitable;
using runtime::RunOn;
using upstream::FetchReader;
using upstream::FilePart;
using upstream::UpstreamCalls;

// Calls start(ready) and awaits that ready(), a std::function<void()>, is called on any thread.
template <typename Start>
awaitable<void> AwaitCall(Start start) {
  using Token = const boost::asio::use_awaitable_t<>;
  Token token;
  co_await boost::asio::async_initiate<Token, void()>(
      [&start](auto handler) {
        auto work = boost::asio::make_work_guard(handler);
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        // The fetch may keep the function after it has called it. So the call takes the coroutine out of it, and ends
        // the work of its context.
        start([work, resume]() mutable {
          boost::asio::post(work.get_executor(), [resume = std::move(resume)] { std::move (*resume)(); });
          work.reset();
        });
      },
      token);
}

// Runs fn(), which may wait for the repository's upstream and returns a StatusOr, and resumes the calling coroutine
// with its result, or with the status of a refusal. As RunOn() otherwise.
template <typename F>
awaitable<std::invoke_result_t<F&>> RunAmong(UpstreamCalls& calls, const CallContext& context,
                                             const RepositoryName& repository, F fn) {
  using Result = std::invoke_result_t<F&>;
  using Token = const boost::asio::use_awaitable_t<>;
  Token token;
  co_return co_await boost::asio::async_initiate<Token, void(Result)>(
      [&calls, &context, &repository, &fn](auto handler) {
        auto work = boost::asio::make_work_guard(handler);
        calls.Post(repository.ToString(), RequesterOf(context),
                   [&fn, handler = std::move(handler), work = std::move(work)](const absl::Status& turn) mutable {
                     Result result = turn.ok() ? fn() : Result(turn);
                     boost::asio::post(work.get_executor(),
                                       [handler = std::move(handler), result = std::move(result)]() mutable {
                                         std::move(handler)(std::move(result));
                                       });
                   });
      },
      token);
}

// Gives some bytes once.
class OneView : public ByteStream {
 public:
  explicit OneView(absl::string_view bytes) : bytes_(bytes) {}

  awaitable<absl::StatusOr<absl::string_view>> Next() override { co_return std::exchange(bytes_, absl::string_view()); }

 private:
  absl::string_view bytes_;
};

// The bytes of a range of a blob, as they are fetched. Those that are in the fetch's file are sent from there, without
// a thread and without a copy, as those of a stored blob.
class LocalFetchPieces : public PieceSequence {
 public:
  LocalFetchPieces(std::unique_ptr<FetchReader> reader, uint64_t offset_bytes, uint64_t length_bytes,
                   size_t buffer_bytes, runtime::Executor* reads)
      : reader_(std::move(reader)),
        reads_(reads),
        buffer_bytes_(buffer_bytes),
        offset_bytes_(offset_bytes),
        left_bytes_(length_bytes) {}

  awaitable<absl::StatusOr<std::optional<BodyPiece>>> Next() override {
    if (left_bytes_ == 0) co_return std::nullopt;
    // Without a turn of the io_context if bytes are there.
    CO_ASSIGN_OR_RETURN(std::optional<FilePart> part, reader_->ReadableFile(offset_bytes_));
    if (!part.has_value()) {
      co_await AwaitCall(
          [this](std::function<void()> ready) { reader_->WhenReadable(offset_bytes_, std::move(ready)); });
      CO_ASSIGN_OR_RETURN(part, reader_->ReadableFile(offset_bytes_));
    }
    if (part.has_value()) {
      const uint64_t offset_bytes = offset_bytes_;
      const uint64_t length_bytes = std::min(part->length_bytes, left_bytes_);
      Advance(length_bytes);
      co_return BodyPiece(FileBody{std::move(part->file), offset_bytes, length_bytes});
    }
    buffer_.resize(std::min<uint64_t>(buffer_bytes_, left_bytes_));
    CO_ASSIGN_OR_RETURN(const size_t count, co_await RunOn(*reads_, [this] {
                          return reader_->Read(offset_bytes_, buffer_.data(), buffer_.size());
                        }));
    if (count == 0) co_return absl::DataLossError("the blob ended before its length");
    Advance(count);
    // As a stream, because the server gathers strings before it sends them.
    co_return BodyPiece(StreamBody{std::make_unique<OneView>(absl::string_view(buffer_).substr(0, count)), count});
  }

 private:
  void Advance(uint64_t bytes) {
    offset_bytes_ += bytes;
    left_bytes_ -= bytes;
  }

  const std::unique_ptr<FetchReader> reader_;
  runtime::Executor* const reads_;
  const size_t buffer_bytes_;
  uint64_t offset_bytes_;
  uint64_t left_bytes_;
  std::string buffer_;
};

class LocalUpstreamBackend : public UpstreamBackend {
 public:
  LocalUpstreamBackend(upstream::UpstreamCache* cache, upstream::UpstreamManagement* management,
                       runtime::Executor* executor, runtime::Executor* reads)
      : cache_(cache), management_(management), executor_(executor), calls_(executor), reads_(reads) {}

  awaitable<absl::StatusOr<ResolvedManifest>> ResolveManifest(const CallContext& context,
                                                              const RepositoryName& repository,
                                                              const Reference& reference, bool metadata_only) override {
    co_return co_await RunAmong(calls_, context, repository,
                                [&] { return cache_->ResolveManifest(repository, reference, metadata_only); });
  }

  std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) override {
    return cache_->RecallTag(repository, tag);
  }

  void CountRecalled(const RepositoryName& repository, const RecalledTag& tag) override {
    const bool fresh = tag.stale_reason.empty();
    cache_->CountRecalled(repository, {.fresh = fresh ? 1u : 0u, .stale = fresh ? 0u : 1u});
  }

  awaitable<absl::StatusOr<UpstreamBlob>> FindBlob(const CallContext& context, const RepositoryName& repository,
                                                   const Digest& digest) override {
    CO_ASSIGN_OR_RETURN(const auto found, co_await RunAmong(calls_, context, repository, [&] {
                          return cache_->FindBlob(repository, digest, RequesterOf(context));
                        }));
    co_return UpstreamBlob{.size_bytes = found.size_bytes(), .stored = found.stored()};
  }

  awaitable<absl::StatusOr<UpstreamBlob>> OpenBlob(const CallContext& context, const RepositoryName& repository,
                                                   const Digest& digest, uint64_t offset_bytes, uint64_t length_bytes,
                                                   size_t memory_bytes) override {
    CO_ASSIGN_OR_RETURN(auto opened, co_await RunOn(*executor_, [&] {
                          return cache_->OpenBlob(repository, digest, RequesterOf(context));
                        }));
    if (const auto* stored = std::get_if<upstream::StoredBlob>(&opened)) {
      co_return UpstreamBlob{.size_bytes = stored->size_bytes, .stored = true};
    }
    std::unique_ptr<FetchReader> reader = std::get<std::unique_ptr<FetchReader>>(std::move(opened));
    if (!reader->size_bytes().has_value()) {
      co_await AwaitCall([&](std::function<void()> ready) { reader->WhenSizeKnown(std::move(ready)); });
    }
    // An empty blob has no last byte that would be held back until it is verified.
    if (reader->size_bytes() == 0) {
      co_await AwaitCall([&](std::function<void()> ready) { reader->WhenReadable(0, std::move(ready)); });
    }
    CO_RETURN_IF_ERROR(reader->status());
    const std::optional<uint64_t> size_bytes = reader->size_bytes();
    if (reader->stored()) co_return UpstreamBlob{.size_bytes = size_bytes.value_or(0), .stored = true};
    if (!size_bytes.has_value()) co_return OciError(OciErrorCode::kUnavailable, "the size of a fetch is not known");
    uint64_t left_bytes = *size_bytes - std::min(*size_bytes, offset_bytes);
    if (length_bytes != 0) left_bytes = std::min(left_bytes, length_bytes);
    UpstreamBlob blob{.size_bytes = *size_bytes};
    blob.body = SequenceBody{
        std::make_unique<LocalFetchPieces>(std::move(reader), offset_bytes, left_bytes, memory_bytes, reads_),
        left_bytes};
    co_return blob;
  }

  awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                              size_t limit, absl::string_view last) override {
    co_return co_await RunAmong(calls_, context, repository, [&] { return cache_->ListTags(repository, limit, last); });
  }

  awaitable<absl::StatusOr<std::vector<Referrer>>> ListReferrers(const CallContext& context,
                                                                 const RepositoryName& repository,
                                                                 const Digest& subject) override {
    co_return co_await RunAmong(calls_, context, repository,
                                [&] { return cache_->ListReferrers(repository, subject); });
  }

  // It waits for no upstream, so it is answered while all calls wait for one.
  awaitable<absl::StatusOr<upstream::v1::ManageUpstreamsResponse>> Manage(
      const CallContext&, const upstream::v1::ManageUpstreamsRequest& request) override {
    co_return co_await RunOn(*reads_, [&] { return management_->Manage(request); });
  }

 private:
  upstream::UpstreamCache* const cache_;
  upstream::UpstreamManagement* const management_;
  runtime::Executor* const executor_;
  UpstreamCalls calls_;
  runtime::Executor* const reads_;
};

}  // namespace

std::unique_ptr<UpstreamBackend> MakeLocalUpstreamBackend(upstream::UpstreamCache* cache,
                                                          upstream::UpstreamManagement* management,
                                                          runtime::Executor* executor, runtime::Executor* reads) {
  return std::make_unique<LocalUpstreamBackend>(cache, management, executor, reads);
}

}  // namespace entrepot::gateway
