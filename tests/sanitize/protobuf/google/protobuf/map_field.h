// Takes the place of Protobuf's header where ThreadSanitizer looks on (third_party:protobuf): there a map field has two
// members more than the library, which Debian builds without it, believes.
#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")
