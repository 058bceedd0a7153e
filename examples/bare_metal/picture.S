  .section .rodata.picture
  .global picture_begin
  .global picture_end
picture_begin:
  .incbin "picture.ppm"
picture_end:
  .byte 0
