// Generated from the cells' functions; zero delay.
module INV_X1(input A, output Y);
  assign Y = ~A;
endmodule

module INV_X2(input A, output Y);
  assign Y = ~A;
endmodule

module INV_X4(input A, output Y);
  assign Y = ~A;
endmodule

module BUF_X1(input A, output Y);
  assign Y = A;
endmodule

module BUF_X2(input A, output Y);
  assign Y = A;
endmodule

module NAND2_X1(input A, input B, output Y);
  assign Y = ~(A & B);
endmodule

module NAND2_X2(input A, input B, output Y);
  assign Y = ~(A & B);
endmodule

module NAND3_X1(input A, input B, input C, output Y);
  assign Y = ~(A & B & C);
endmodule

module NAND4_X1(input A, input B, input C, input D, output Y);
  assign Y = ~(A & B & C & D);
endmodule

module NOR2_X1(input A, input B, output Y);
  assign Y = ~(A | B);
endmodule

module NOR2_X2(input A, input B, output Y);
  assign Y = ~(A | B);
endmodule

module NOR3_X1(input A, input B, input C, output Y);
  assign Y = ~(A | B | C);
endmodule

module AND2_X1(input A, input B, output Y);
  assign Y = (A & B);
endmodule

module AND3_X1(input A, input B, input C, output Y);
  assign Y = (A & B & C);
endmodule

module OR2_X1(input A, input B, output Y);
  assign Y = (A | B);
endmodule

module AOI21_X1(input A, input B, input C, output Y);
  assign Y = ~((A & B) | C);
endmodule

module AOI22_X1(input A, input B, input C, input D, output Y);
  assign Y = ~((A & B) | (C & D));
endmodule

module OAI21_X1(input A, input B, input C, output Y);
  assign Y = ~((A | B) & C);
endmodule

module OAI22_X1(input A, input B, input C, input D, output Y);
  assign Y = ~((A | B) & (C | D));
endmodule

module XOR2_X1(input A, input B, output Y);
  assign Y = (A ^ B);
endmodule

module XNOR2_X1(input A, input B, output Y);
  assign Y = ~(A ^ B);
endmodule

module MUX2_X1(input A, input B, input S, output Y);
  assign Y = ((A & ~S) | (B & S));
endmodule

module HA_X1(input A, input B, output CO, output S);
  assign CO = (A & B);
  assign S = (A ^ B);
endmodule

module FA_X1(input A, input B, input CI, output CO, output S);
  assign CO = ((A & B) | (CI & (A | B)));
  assign S = (A ^ B ^ CI);
endmodule

module DFF_X1(input D, input CK, output Q);
  reg IQ;
  initial IQ = 1'b0;
  always @(posedge CK) IQ <= D;
  assign Q = IQ;
endmodule
