#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_CHUNK_DECODER_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_CHUNK_DECODER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::gateway::http {

// Decodes the chunked transfer coding (RFC 9112 section 7.1), strictly. Extensions and trailers are bounded and
// dropped.
class ChunkDecoder {
 public:
  struct Progress {
    size_t consumed = 0;  // Of the input.
    size_t produced = 0;  // To the output.
  };

  void Reset() { *this = ChunkDecoder(); }

  // Decodes until the input is used up, the output is full or the body ends. `output` may equal `input`, to decode a
  // body in place. kInvalidArgument: the coding is malformed.
  absl::StatusOr<Progress> Decode(const char* input, size_t input_size, char* output, size_t output_size);

  // The last chunk and the trailers were consumed.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State {
    kSizeFirst,
    kSize,
    kBlankBehindSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerFirst,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kDone,
  };

  // Processes one byte of the framing. Returns null, or what is wrong with the byte.
  const char* ParseFraming(char c);
  const char* ParseSize(char c);
  const char* ParseExtension(char c);
  const char* ParseTrailer(char c);

  State state_ = State::kSizeFirst;
  uint64_t chunk_left_ = 0;  // Bytes left of the chunk's data; while the size is read, the size so far.
  uint32_t size_digits_ = 0;
  uint32_t extension_bytes_ = 0;  // Of this chunk.
  uint32_t trailer_bytes_ = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_CHUNK_DECODER_H_
