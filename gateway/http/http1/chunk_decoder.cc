#include "gateway/http/http1/chunk_decoder.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/http/http1/grammar.h"

namespace entrepot::gateway::http {
namespace {

constexpr uint32_t kSizeDigitsMax = 15;  // Below 2^60, so that sums of a few sizes cannot overflow.
constexpr uint32_t kExtensionBytesMax = 256;
constexpr uint32_t kTrailerBytesMax = 8192;

uint64_t HexValue(char c) { return absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10; }

}  // namespace

absl::StatusOr<ChunkDecoder::Progress> ChunkDecoder::Decode(const char* input, size_t input_size, char* output,
                                                            size_t output_size) {
  Progress progress;
  while (progress.consumed < input_size && state_ != State::kDone) {
    if (state_ == State::kData) {
      const size_t size =
          std::min({chunk_left_, uint64_t{input_size - progress.consumed}, uint64_t{output_size - progress.produced}});
      if (size == 0) break;
      if (output + progress.produced != input + progress.consumed) {
        std::memmove(output + progress.produced, input + progress.consumed, size);
      }
      progress.consumed += size;
      progress.produced += size;
      chunk_left_ -= size;
      if (chunk_left_ == 0) state_ = State::kDataCr;
      continue;
    }
    if (const char* problem = ParseFraming(input[progress.consumed++])) {
      return absl::InvalidArgumentError(absl::StrCat("malformed chunked body: ", problem));
    }
  }
  return progress;
}

const char* ChunkDecoder::ParseFraming(char c) {
  switch (state_) {
    case State::kSizeFirst:
    case State::kSize:
      return ParseSize(c);
    case State::kBlankBehindSize:
    case State::kExtension:
      return ParseExtension(c);
    case State::kSizeLf:
      if (c != '\n') return "a bare CR after a chunk's size";
      state_ = chunk_left_ == 0 ? State::kTrailerFirst : State::kData;
      return nullptr;
    case State::kDataCr:
      if (c != '\r') return "a chunk's data does not end in CR LF";
      state_ = State::kDataLf;
      return nullptr;
    case State::kDataLf:
      if (c != '\n') return "a chunk's data does not end in CR LF";
      state_ = State::kSizeFirst;
      return nullptr;
    case State::kTrailerFirst:
    case State::kTrailerName:
    case State::kTrailerValue:
    case State::kTrailerLf:
      return ParseTrailer(c);
    case State::kEndLf:
      if (c != '\n') return "a bare CR after the last chunk";
      state_ = State::kDone;
      return nullptr;
    case State::kData:
    case State::kDone:
      break;
  }
  return "unexpected byte";
}

const char* ChunkDecoder::ParseSize(char c) {
  if (state_ == State::kSizeFirst) {
    chunk_left_ = 0;
    size_digits_ = 0;
    extension_bytes_ = 0;
    state_ = State::kSize;
  }
  if (absl::ascii_isxdigit(c)) {
    if (++size_digits_ > kSizeDigitsMax) return "a chunk's size has more than 15 digits (a fixed limit)";
    chunk_left_ = chunk_left_ * 16 + HexValue(c);
    return nullptr;
  }
  if (size_digits_ == 0) return "a chunk's size is not a hexadecimal number";
  if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (c == ';') {
    state_ = State::kExtension;
  } else if (IsBlank(c)) {
    state_ = State::kBlankBehindSize;
  } else {
    return "a chunk's size is not a hexadecimal number";
  }
  return nullptr;
}

const char* ChunkDecoder::ParseExtension(char c) {
  if (++extension_bytes_ > kExtensionBytesMax) return "a chunk's extension is longer than 256 bytes (a fixed limit)";
  if (state_ == State::kBlankBehindSize) {
    if (c == ';') {
      state_ = State::kExtension;
    } else if (!IsBlank(c)) {
      return "a blank after a chunk's size";
    }
    return nullptr;
  }
  if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (IsControl(c)) {
    return "a control byte in a chunk's extension";
  }
  return nullptr;
}

const char* ChunkDecoder::ParseTrailer(char c) {
  if (++trailer_bytes_ > kTrailerBytesMax) return "the trailers are longer than 8192 bytes (a fixed limit)";
  switch (state_) {
    case State::kTrailerFirst:
      if (c == '\r') {
        state_ = State::kEndLf;
        return nullptr;
      }
      if (!IsTokenByte(c)) return "a trailer's name is not a token";
      state_ = State::kTrailerName;
      return nullptr;
    case State::kTrailerName:
      if (c == ':') {
        state_ = State::kTrailerValue;
        return nullptr;
      }
      return IsTokenByte(c) ? nullptr : "a trailer's name is not a token followed by a colon";
    case State::kTrailerValue:
      if (c == '\r') {
        state_ = State::kTrailerLf;
        return nullptr;
      }
      return IsControl(c) ? "a control byte in a trailer" : nullptr;
    default:  // kTrailerLf
      if (c != '\n') return "a bare CR in a trailer";
      state_ = State::kTrailerFirst;
      return nullptr;
  }
}

}  // namespace entrepot::gateway::http
